import Foundation
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Asks a running server over its control socket. Blocks: for commands, on a thread that may wait.
public struct ControlClient: Sendable {
    private let path: String
    /// Seconds that the server may be silent.
    private let patience: Int
    /// Octets of an answer's line at the most.
    private static let longestLine = 64 << 20

    public init(path: String, patience: Int = 120) {
        self.path = path
        self.patience = patience
    }

    /// Sends a request and hands over each item of the answer as it comes.
    /// - Returns: false when nobody listens there.
    /// - Throws: ``ControlError``: what the server said, or what went wrong on the way; and what `each` throws.
    public func ask<Item: Codable>(_ command: String, _ arguments: some Encodable, as _: Item.Type, each: (Item) throws -> Void) throws -> Bool {
        guard let descriptor = try connected() else { return false }
        defer { close(descriptor) }
        try send(try ControlRequest.line(command, arguments), descriptor)
        var buffer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let got = read(descriptor, &chunk, chunk.count)
            if got < 0, errno == EINTR { continue }
            guard got > 0 else {
                throw ControlError(got == 0 ? "the server closed in the middle of its answer; its log may say why"
                    : errno == EAGAIN ? "the server has not answered for \(patience) s" : "the answer cannot be read: \(String(cString: strerror(errno)))")
            }
            var rest = chunk[..<got]
            while let end = rest.firstIndex(of: 10) {
                buffer += rest[..<end]
                rest = rest[(end + 1)...]
                if try isLast(Data(buffer), each) { return true }
                buffer.removeAll(keepingCapacity: true)
            }
            buffer += rest
            guard buffer.count <= Self.longestLine else { throw ControlError("the server sends a line without end") }
        }
    }

    private func isLast<Item: Codable>(_ line: Data, _ each: (Item) throws -> Void) throws -> Bool {
        guard let answer = try? ControlJSON.decoder().decode(AnswerLine<Item>.self, from: line), answer.item != nil || answer.end != nil || answer.error != nil else {
            throw ControlError("the server answers in a way that this postern does not know: is it another version?")
        }
        if let error = answer.error { throw ControlError(error) }
        if let item = answer.item { try each(item) }
        return answer.end != nil
    }

    /// - Returns: nil when there is no socket, or nobody behind it.
    private func connected() throws -> Int32? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        #if canImport(Glibc)
        let kind = Int32(SOCK_STREAM.rawValue)
        #else
        let kind = SOCK_STREAM
        #endif
        let descriptor = socket(AF_UNIX, kind | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw ControlError("no socket: \(String(cString: strerror(errno)))") }
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let done = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard done != 0 else { return descriptor }
        let code = errno
        close(descriptor)
        if code == ENOENT || code == ECONNREFUSED { return nil }
        throw ControlError(code == EACCES ? "\(path): only root and the user that the server runs as may give it commands" : "\(path): \(String(cString: strerror(code)))")
    }

    private func send(_ bytes: Data, _ descriptor: Int32) throws {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Self.put(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ControlError("the request cannot be sent: \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(count)
        }
    }

    private static func put(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
        #if canImport(Glibc)
        Glibc.send(descriptor, bytes, count, flags)
        #else
        Musl.send(descriptor, bytes, count, flags)
        #endif
    }
}
