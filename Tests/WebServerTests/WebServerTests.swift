import BlockingPool
import Foundation
import NIOCore
import NIOPosix
import Testing
import WebServer

@Suite(.timeLimit(.minutes(1))) struct WebServerTests {
    let group = MultiThreadedEventLoopGroup.singleton

    /// What a server says to these octets until it closes.
    func say(_ text: String, limits: WebServer.Limits = .init()) async throws -> String {
        let server = WebServer(host: "127.0.0.1", port: 0, group: group, limits: limits) { .text("\($0.method) \($0.path) at \($0.host)") }
        let port = try await server.bind()
        try await server.accept()
        let heard = try await BlockingPool(threads: 1).run { try Self.talk(port, text) }
        await server.stop()
        return heard
    }

    private static func talk(_ port: Int, _ text: String) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let done = withUnsafePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) } }
        guard done == 0 else { throw POSIXError(.ECONNREFUSED) }
        let octets = Array(text.utf8)
        send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL))
        var heard: [UInt8] = [], chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = recv(descriptor, &chunk, chunk.count, 0), count > 0 { heard += chunk[..<count] }
        return String(decoding: heard, as: UTF8.self)
    }

    @Test func requestsAreAnsweredAndTheConnectionEnds() async throws {
        let heard = try await say("GET /a/b?c=d HTTP/1.1\r\nHost: Example.ORG:8080\r\n\r\nGET /second HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(heard.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(heard.hasSuffix("\r\n\r\nGET /a/b at example.org"))
        #expect(try await say("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").hasSuffix("\r\n\r\n"))
        #expect(try await say("GET / HTTP/1.0\r\n\r\n").hasSuffix("GET / at "))
    }

    @Test func onlyReadingIsAnswered() async throws {
        #expect(try await say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi").hasPrefix("HTTP/1.1 405 "))
        #expect(try await say("nonsense\r\n\r\n").hasPrefix("HTTP/1.1 400 "))
    }

    @Test func boundsHold() async throws {
        #expect(try await say("GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1\r\nHost: x\r\n\r\n").hasPrefix("HTTP/1.1 4"))
        #expect(try await say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n" + String(repeating: "a", count: 30_000)).hasPrefix("HTTP/1.1 4"))
        var short = WebServer.Limits()
        short.time = .milliseconds(300)
        #expect(try await say("GET / HTTP/1.1\r\nHost", limits: short) == "")
    }
}
