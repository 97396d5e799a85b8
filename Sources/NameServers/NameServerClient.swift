import BlockingPool
import DNS
import Foundation
import NetworkAddress

/// Asks one name server, without a cache and without recursion.
public protocol NameServerAsking: Sendable {
    func ask(_ question: DNSQuestion, of server: IPAddress) async -> NameServerAnswer
}

/// Over UDP, and over TCP when the answer is truncated (RFC 7766 §5). Each try has a deadline.
public struct NameServerClient: NameServerAsking {
    private let port: UInt16
    private let timeout: Duration
    private let pool: BlockingPool

    /// - Parameters:
    ///   - port: 53 but in tests.
    ///   - timeout: of one try; a question takes at most three of it.
    public init(port: UInt16 = 53, timeout: Duration = .seconds(3), pool: BlockingPool) {
        self.port = port
        self.timeout = timeout
        self.pool = pool
    }

    public func ask(_ question: DNSQuestion, of server: IPAddress) async -> NameServerAnswer {
        let exchange = NameServerExchange(question: question, server: server, port: port, timeout: timeout)
        return (try? await pool.run { exchange.run() }) ?? .unreachable("the question could not be put")
    }
}

/// One question to one server. Blocks.
struct NameServerExchange: Sendable {
    let question: DNSQuestion
    let server: IPAddress
    let port: UInt16
    let timeout: Duration

    private struct Silence: Error { let why: String }

    func run() -> NameServerAnswer {
        do {
            // A datagram may be lost: twice.
            guard let reply = try overUDP() ?? overUDP() else { return .unreachable("no answer within \(timeout)") }
            if !reply.isTruncated { return reply.verdict }
            guard let whole = try overTCP() else { return .failure("its long answer did not come over TCP") }
            return whole.verdict
        } catch { return .unreachable((error as? Silence)?.why ?? "\(error)") }
    }

    private func overUDP() throws -> NameServerReply? {
        let socket = try connected(SOCK_DGRAM)
        defer { close(socket) }
        let id = UInt16.random(in: 0...UInt16.max)
        let query = NameServerQuery.encode(question, id: id)
        guard send(socket, query, query.count, Int32(MSG_NOSIGNAL)) == query.count else { throw silence() }
        let end = ContinuousClock.now + timeout
        var buffer = [UInt8](repeating: 0, count: 4096)
        while try wait(socket, POLLIN, until: end) {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count >= 0 else { throw silence() }
            // What does not answer this question may be forged: go on waiting (RFC 5452 §3).
            if let reply = match(Array(buffer.prefix(count)), id) { return reply }
        }
        return nil
    }

    private func overTCP() throws -> NameServerReply? {
        let socket = try connected(SOCK_STREAM)
        defer { close(socket) }
        let end = ContinuousClock.now + timeout
        guard try wait(socket, POLLOUT, until: end) else { return nil }
        let id = UInt16.random(in: 0...UInt16.max)
        let query = NameServerQuery.encode(question, id: id)
        let framed = [UInt8(query.count >> 8), UInt8(truncatingIfNeeded: query.count)] + query
        guard send(socket, framed, framed.count, Int32(MSG_NOSIGNAL)) == framed.count else { throw silence() }
        guard let length = try read(socket, 2, until: end), let bytes = try read(socket, Int(length[0]) << 8 | Int(length[1]), until: end) else {
            return nil
        }
        return match(bytes, id)
    }

    private func read(_ socket: Int32, _ count: Int, until end: ContinuousClock.Instant) throws -> [UInt8]? {
        var out: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while out.count < count {
            guard try wait(socket, POLLIN, until: end) else { return nil }
            let got = recv(socket, &buffer, count - out.count, 0)
            guard got > 0 else { return nil }
            out += buffer.prefix(got)
        }
        return out
    }

    private func match(_ bytes: [UInt8], _ id: UInt16) -> NameServerReply? {
        guard let reply = NameServerReply(parsing: bytes), reply.id == id, reply.question == question else { return nil }
        return reply
    }

    private func connected(_ type: __socket_type) throws -> Int32 {
        let v4 = server.family == .v4
        let descriptor = socket(v4 ? AF_INET : AF_INET6, Int32(type.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw silence() }
        let result = v4 ? connect4(descriptor) : connect6(descriptor)
        guard result == 0 || errno == EINPROGRESS else {
            defer { close(descriptor) }
            throw silence()
        }
        return descriptor
    }

    private func connect4(_ descriptor: Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: server.octets) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    private func connect6(_ descriptor: Int32) -> Int32 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: server.octets) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
        }
    }

    private func wait(_ socket: Int32, _ event: Int32, until end: ContinuousClock.Instant) throws -> Bool {
        while true {
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero else { return false }
            let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1
            var one = pollfd(fd: socket, events: Int16(event), revents: 0)
            let ready = poll(&one, 1, Int32(clamping: milliseconds))
            if ready > 0 { return true }
            guard ready == 0 || errno == EINTR else { throw silence() }
        }
    }

    private func silence() -> Silence { Silence(why: String(cString: strerror(errno))) }
}
