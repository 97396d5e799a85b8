import Foundation
import InternetMessage
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension MailQueue {
    /// Whether ``enqueue(_:message:)`` would find room on the disk. Blocks.
    /// - Throws: ``QueueError`` when that cannot be found out.
    public func hasRoom(for octets: Int) throws(QueueError) -> Bool {
        let free = try folders.freeBytes()
        lastFree.withLock { $0 = (free, .now) }
        return free - octets >= settings.minimumFreeBytes
    }

    /// Whether ``hasRoom(for:)`` would have said so within the last second; false also when nobody asked it. Does not block.
    public func hadRoom(for octets: Int) -> Bool {
        guard let last = lastFree.withLock({ $0 }), last.at.duration(to: .now) < .seconds(1) else { return false }
        return last.octets - octets >= settings.minimumFreeBytes
    }

    /// Puts a message into the queue; durable when it returns, absent when it throws. Blocks.
    /// - Throws: ``QueueError``; ``QueueError/insufficientStorage(freeBytes:)`` becomes `452 4.3.1` at the edge.
    public func enqueue(_ envelope: QueueEnvelope, message: Message) throws(QueueError) {
        try check(envelope)
        let free = try folders.freeBytes()
        guard free - message.byteCount >= settings.minimumFreeBytes else { throw .insufficientStorage(freeBytes: free) }
        try reserve(envelope.id)
        let temporary = folders.tmp + "/" + envelope.id
        do throws(QueueError) {
            try write(envelope, message, to: temporary)
            try publish(envelope.id, temporary)
        } catch {
            unlink(temporary)
            index.withLock { $0.remove(envelope.id) }
            throw error
        }
        index.withLock { $0.add(envelope, byteCount: message.byteCount) }
    }

    private func check(_ envelope: QueueEnvelope) throws(QueueError) {
        guard QueueFolders.isValid(id: envelope.id) else { throw .invalidID(envelope.id) }
        guard !envelope.pending.isEmpty else { throw .invalidEnvelope("no recipient is pending") }
        let addresses = [envelope.sender.address].compactMap { $0 } + envelope.recipients.flatMap { [$0.address, $0.original] }
        if let bad = addresses.first(where: { !StoredAddress.canStore($0) }) { throw .invalidEnvelope("address \(bad)") }
    }

    /// Takes the id, so that two callers cannot write the same file.
    private func reserve(_ id: String) throws(QueueError) {
        let limit = settings.maximumMessages
        let refusal: QueueError? = index.withLock { index in
            if index.contains(id) { return .duplicateID(id) }
            if index.count >= limit { return .queueFull(limit: limit) }
            index.reserve(id)
            return nil
        }
        if let refusal { throw refusal }
    }

    private func write(_ envelope: QueueEnvelope, _ message: Message, to path: String) throws(QueueError) {
        guard let json = try? Array(QueueJSON.encoder().encode(envelope)), json.count <= QueueFile.envelopeLimit else {
            throw .invalidEnvelope("it cannot be written as JSON within \(QueueFile.envelopeLimit) octets")
        }
        let header = message.headerBytes()
        let bodyIs8Bit = try Self.unwrapping { try EightBit.isIn(message.body) }
        let head = QueueFile.headLine(envelope: json.count, header: header.count, body: message.body.count,
                                      headerIs8Bit: header.withUnsafeBytes(EightBit.isIn), bodyIs8Bit: bodyIs8Bit)
        let file = try QueueDescriptor(path, openNew)
        try file.write(head + json + [10] + header)
        try Self.copy(message.body, to: file)
        try file.write([10])
        try file.sync()
    }

    private static func copy(_ body: MessageBody, to file: borrowing QueueDescriptor) throws(QueueError) {
        do {
            try body.forEachChunk { try file.write($0) }
        } catch {
            throw queueError(error)
        }
    }

    private static func unwrapping<Value>(_ work: () throws -> Value) throws(QueueError) -> Value {
        do { return try work() } catch { throw queueError(error) }
    }

    private static func queueError(_ error: any Error) -> QueueError {
        switch error {
        case let error as QueueError: error
        case let error as SpoolFile.Failure: .system(call: error.call, path: "message body", code: error.code)
        default: .system(call: "\(error)", path: "message body", code: EIO)
        }
    }

    /// Renames into place and makes the name durable.
    private func publish(_ id: String, _ temporary: String) throws(QueueError) {
        let path = folders.path(of: id)
        guard rename(temporary, path) == 0 else { throw .errno("rename", path) }
        do throws(QueueError) {
            try folders.sync(of: id).sync()
        } catch {
            // The caller will hear that nothing was taken, so nothing may stay that would be delivered.
            unlink(path)
            throw error
        }
    }
}

/// Looks for octets above 127.
enum EightBit {
    static func isIn(_ body: MessageBody) throws -> Bool {
        var found = false
        try body.forEachChunk { if !found { found = isIn($0) } }
        return found
    }

    static func isIn(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let words = bytes.count / 8
        var all: UInt64 = 0
        for index in 0..<words { all |= bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) }
        for index in (words * 8)..<bytes.count { all |= UInt64(bytes[index]) }
        return all & 0x8080_8080_8080_8080 != 0
    }
}
