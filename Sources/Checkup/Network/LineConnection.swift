import Foundation
import NetworkAddress
import TLS

/// A connection spoken to line by line, in clear or over TLS, everything before one deadline. Blocks; one thread at a time.
final class LineConnection {
    struct Failure: Error, CustomStringConvertible { let description: String }

    /// Where to connect.
    enum Place: Sendable, Hashable, CustomStringConvertible {
        case inet(IPAddress, UInt16)
        case unix(String)

        var description: String {
            switch self {
            case .inet(let address, let port): address.family == .v4 ? "\(address):\(port)" : "[\(address)]:\(port)"
            case .unix(let path): path
            }
        }
    }

    private let descriptor: Int32
    private let end: ContinuousClock.Instant
    private var tls: BlockingTLSStream?
    private var buffer: [UInt8] = []
    /// Octets of a line at the most.
    private static let longest = 65_536

    /// - Throws: ``Failure``: why nobody answers there.
    init(_ place: Place, within time: Duration) throws {
        end = .now + time
        descriptor = try Self.socket(place)
        do {
            let result = try Self.connect(descriptor, place)
            if result != 0 {
                guard errno == EINPROGRESS || errno == EAGAIN else { throw Self.failure() }
                try Self.wait(descriptor, POLLOUT, until: end)
            }
            var code: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else { throw Self.failure() }
            guard code == 0 else { throw Failure(description: String(cString: strerror(code))) }
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit {
        tls = nil
        close(descriptor)
    }

    /// From now on encrypted.
    /// - Returns: the certificates that the server showed.
    func startTLS(_ context: TLSContext, serverName: String) throws -> [InspectedCertificate] {
        // Octets before the handshake would be believed to have come over TLS (RFC 3207 §6).
        guard buffer.isEmpty else { throw Failure(description: "the server sends on before the TLS handshake") }
        let stream = try BlockingTLSStream(descriptor: descriptor, context: context, serverName: serverName, until: end)
        tls = stream
        return stream.peerChain
    }

    /// A line without its end.
    func line() throws -> String {
        while true {
            if let feed = buffer.firstIndex(of: 10) {
                var text = buffer[..<feed]
                if text.last == 13 { text.removeLast() }
                buffer.removeSubrange(...feed)
                return String(decoding: text, as: UTF8.self)
            }
            guard buffer.count < Self.longest else { throw Failure(description: "the server sends a line without end") }
            let more = try receive()
            guard !more.isEmpty else { throw Failure(description: "the server closed the connection") }
            buffer += more
        }
    }

    /// An SMTP reply (RFC 5321 §4.2): its code, and its texts.
    func reply() throws -> (code: Int, lines: [String]) {
        var lines: [String] = []
        while lines.count < 100 {
            let text = try line()
            guard text.utf8.count >= 3, let code = Int(text.prefix(3)) else { throw Failure(description: "the server says \(text.prefix(80).debugDescription), which is no SMTP reply") }
            lines.append(String(text.dropFirst(4)))
            if text.dropFirst(3).first != "-" { return (code, lines) }
        }
        throw Failure(description: "the server's reply has no end")
    }

    /// Sends a line and reads the reply; an unexpected one is an error that quotes it.
    @discardableResult
    func ask(_ text: String, expecting code: Int, named: String? = nil) throws -> [String] {
        try send(text + "\r\n")
        let answer = try reply()
        guard answer.code == code else { throw Failure(description: "\(named ?? text) was answered \(answer.code) \(answer.lines.joined(separator: " "))") }
        return answer.lines
    }

    func send(_ text: String) throws { try send(bytes: Array(text.utf8)) }

    /// So many octets.
    func octets(_ count: Int) throws -> [UInt8] {
        while buffer.count < count {
            let more = try receive()
            guard !more.isEmpty else { throw Failure(description: "the server closed the connection") }
            buffer += more
        }
        defer { buffer.removeFirst(count) }
        return Array(buffer.prefix(count))
    }

    func send(bytes: [UInt8]) throws {
        if let tls { return try tls.write(bytes, until: end) }
        var done = 0
        while done < bytes.count {
            let put = bytes.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done, Int32(MSG_NOSIGNAL)) }
            if put > 0 { done += put } else if errno == EAGAIN || errno == EINTR { try Self.wait(descriptor, POLLOUT, until: end) } else { throw Self.failure() }
        }
    }

    private func receive() throws -> [UInt8] {
        if let tls { return try tls.read(until: end) }
        var chunk = [UInt8](repeating: 0, count: 8192)
        while true {
            let got = recv(descriptor, &chunk, chunk.count, 0)
            if got >= 0 { return Array(chunk.prefix(got)) }
            guard errno == EAGAIN || errno == EINTR else { throw Self.failure() }
            try Self.wait(descriptor, POLLIN, until: end)
        }
    }

    // MARK: Sockets

    private static func socket(_ place: Place) throws -> Int32 {
        let family = switch place {
        case .inet(let address, _): address.family == .v4 ? AF_INET : AF_INET6
        case .unix: AF_UNIX
        }
        let descriptor = Foundation.socket(family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure() }
        return descriptor
    }

    private static func connect(_ descriptor: Int32, _ place: Place) throws -> Int32 {
        switch place {
        case .inet(let address, let port) where address.family == .v4:
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &name.sin_addr) { $0.copyBytes(from: address.octets) }
            return connect(descriptor, &name)
        case .inet(let address, let port):
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address.octets) }
            return connect(descriptor, &name)
        case .unix(let path):
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            guard path.utf8.count < MemoryLayout.size(ofValue: name.sun_path) else { throw Failure(description: "\(path) is too long for a socket") }
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
            return connect(descriptor, &name)
        }
    }

    private static func connect<Name>(_ descriptor: Int32, _ name: inout Name) -> Int32 {
        withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<Name>.size)) }
        }
    }

    private static func wait(_ descriptor: Int32, _ event: Int32, until end: ContinuousClock.Instant) throws {
        while true {
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero else { throw Failure(description: "no answer in time") }
            let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1
            var one = pollfd(fd: descriptor, events: Int16(event), revents: 0)
            let ready = poll(&one, 1, Int32(clamping: milliseconds))
            if ready > 0 { return }
            guard ready == 0 || errno == EINTR else { throw failure() }
        }
    }

    private static func failure() -> Failure { Failure(description: String(cString: strerror(errno))) }
}
