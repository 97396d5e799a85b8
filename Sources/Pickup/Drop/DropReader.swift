import Foundation
import InternetMessage
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A message that a user of this machine dropped.
public struct DroppedMessage: Sendable {
    public let name: String
    public let envelope: DropEnvelope
    public let message: Message
    /// Whose the file is: the one thing that nobody can forge.
    public let userID: uid_t
    public let dropped: Date
}

extension DropFolder {
    /// Reads a dropped message, its body copied into a spool file where it is large: its owner could change the file. Blocks.
    /// - Throws: ``DropError``.
    func read(_ name: String, sizeLimit: Int, spoolFolder: String) throws(DropError) -> DroppedMessage {
        // A pipe would have us wait, a link would have us read what its maker cannot.
        let descriptor = open(path + "/" + name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.openError(errno) }
        defer { close(descriptor) }
        let facts = try Self.facts(descriptor)
        var source = DropSource(descriptor: descriptor)
        guard let line = try source.line(limit: DropHead.limit), let head = try? JSONDecoder().decode(DropHead.self, from: Data(line)) else { throw .damaged("no head") }
        guard head.size >= 0 else { throw .damaged("no size") }
        guard head.size <= sizeLimit else { throw .tooLarge(limit: sizeLimit) }
        let message = try Self.message(&source, size: head.size, spoolFolder: spoolFolder)
        return DroppedMessage(name: name, envelope: try head.envelope(), message: message, userID: facts.st_uid,
                              dropped: Date(timeIntervalSince1970: TimeInterval(facts.st_mtim.tv_sec)))
    }

    private static func openError(_ code: Int32) -> DropError {
        switch code {
        case ELOOP: .damaged("a link")
        // Not whole yet: its writer has not opened it to us.
        case EACCES, ENOENT: .notReady
        default: .system(call: "open", code: code)
        }
    }

    private static func facts(_ descriptor: Int32) throws(DropError) -> stat {
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw .system(call: "fstat", code: errno) }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw .damaged("not a file") }
        // A second name could be that of another user's file.
        guard facts.st_nlink == 1 else { throw .damaged("a file with several names") }
        guard facts.st_mode & 0o7777 == ready else { throw .notReady }
        return facts
    }

    private static func message(_ source: inout DropSource, size: Int, spoolFolder: String) throws(DropError) -> Message {
        var assembler = MessageAssembler(memoryLimit: 262_144, spoolFolder: spoolFolder)
        var rest = size
        do {
            while rest > 0 {
                let piece = try source.next(atMost: rest)
                guard !piece.isEmpty else { throw DropError.damaged("shorter than its head says") }
                rest -= piece.count
                try assembler.append(piece)
                if assembler.wantsSpill { try assembler.spill() }
            }
            return try assembler.finish()
        } catch let error as DropError { throw error } catch MessageAssembler.Failure.headerTooLarge { throw .damaged("its header is too large") } catch {
            throw .system(call: "\(error)", code: EIO)
        }
    }

    /// Files that were begun long ago and never became whole. Blocks.
    func abandoned(before limit: Date) throws(DropError) -> [String] {
        try names(limit: .max).filter { name in
            var facts = stat()
            guard lstat(path + "/" + name, &facts) == 0 else { return false }
            return facts.st_mode & 0o7777 != Self.ready && facts.st_mtim.tv_sec < Int(limit.timeIntervalSince1970)
        }
    }
}

/// A file's octets: a line, and then pieces.
private struct DropSource {
    let descriptor: Int32
    private var buffer: ArraySlice<UInt8> = []

    init(descriptor: Int32) { self.descriptor = descriptor }

    mutating func line(limit: Int) throws(DropError) -> [UInt8]? {
        var out: [UInt8] = []
        while out.count < limit {
            if buffer.isEmpty { buffer = try read() }
            guard !buffer.isEmpty else { return nil }
            if let end = buffer.firstIndex(of: 10) {
                out += buffer[..<end]
                buffer = buffer[(end + 1)...]
                return out
            }
            out += buffer
            buffer = []
        }
        return nil
    }

    mutating func next(atMost count: Int) throws(DropError) -> ArraySlice<UInt8> {
        if buffer.isEmpty { buffer = try read() }
        let piece = buffer.prefix(count)
        buffer = buffer.dropFirst(piece.count)
        return piece
    }

    private func read() throws(DropError) -> ArraySlice<UInt8> {
        var bytes = [UInt8](repeating: 0, count: 65536)
        while true {
            let got = bytes.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .system(call: "read", code: errno) }
            return bytes[..<got]
        }
    }
}
