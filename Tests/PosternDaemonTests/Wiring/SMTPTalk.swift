import BlockingPool
import Foundation

/// A client that says lines over a loopback socket, on a thread of its own, never longer than ten seconds a reply.
struct SMTPTalk {
    struct Failure: Error { let text: String }

    /// - Returns: the last line of each reply, the greeting first.
    static func run(port: Int, _ lines: [String]) async throws -> [String] {
        try await BlockingPool(threads: 1).run { try talk(port, lines) }
    }

    private static func talk(_ port: Int, _ lines: [String]) throws -> [String] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0 else { throw Failure(text: "connect: \(errno)") }
        var replies = [try reply(descriptor)]
        for line in lines {
            let octets = Array((line + "\r\n").utf8)
            guard send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL)) == octets.count else { throw Failure(text: "send: \(errno)") }
            replies.append(try reply(descriptor))
        }
        return replies
    }

    private static func reply(_ descriptor: Int32) throws -> String {
        var line: [UInt8] = []
        while true {
            var byte: UInt8 = 0
            guard recv(descriptor, &byte, 1, 0) == 1 else { throw Failure(text: "the connection ended after \(String(decoding: line, as: UTF8.self))") }
            guard byte == 10 else {
                line.append(byte)
                continue
            }
            if line.count < 4 || line[3] != 45 { return String(decoding: line.dropLast(), as: UTF8.self) }
            line = []
        }
    }
}
