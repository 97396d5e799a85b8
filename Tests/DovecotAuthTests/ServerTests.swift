import Accounts
import Foundation
import InternetMessage
import LocalSocket
import Logging
import NIOCore
import NIOPosix
import NetworkAddress
import SASL
import Synchronization
import Testing
@testable import DovecotAuth

/// Over sockets.
@Suite(.timeLimit(.minutes(1))) struct ServerTests {
    /// Knows `alice`; `slow` never gets an answer.
    private final class OneUser: SCRAMAuthenticator {
        let clients = Mutex<[IPAddress?]>([])
        func authenticate(user: String, password: String, client: IPAddress?) async -> AuthenticationOutcome {
            clients.withLock { $0.append(client) }
            if user == "slow" {
                try? await Task.sleep(for: .seconds(3600))
                return .unavailable("cancelled")
            }
            return user == "alice" && password == "secret" ? .success(Account(name: "alice@home.example", addresses: [])) : .failure
        }
        func scramKeys(of user: String, client: IPAddress?) async -> SCRAMLookup { .unavailable("none") }
        let offersSCRAM = true
        func scramEnded(user: String, client: IPAddress?, provenKey: [UInt8]?) {}
    }

    private func withServer(_ listener: AuthListener, _ users: OneUser = OneUser(), configure: (inout DovecotAuthServer.Configuration) -> Void = { _ in },
                            _ body: (AuthListener) async throws -> Void) async throws {
        var configuration = DovecotAuthServer.Configuration(listeners: [listener])
        configure(&configuration)
        let server = DovecotAuthServer(configuration: configuration, authenticator: users, group: MultiThreadedEventLoopGroup.singleton,
                                       logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let bound = try await server.start()
        do { try await body(try #require(bound.first)) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    /// Says text, and gives back all that comes until `count` lines are there or the server closes.
    private func converse(_ listener: AuthListener, _ text: String, lines count: Int) async throws -> [String] {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        let convert: @Sendable (any Channel) -> EventLoopFuture<NIOAsyncChannel<ByteBuffer, ByteBuffer>> = { channel in
            channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
        }
        let channel = switch listener {
        case .unix(let socket): try await bootstrap.connect(unixDomainSocketPath: socket.path, channelInitializer: convert)
        case .tcp(let host, let port): try await bootstrap.connect(host: host, port: port, channelInitializer: convert)
        }
        return try await channel.executeThenClose { inbound, outbound in
            if !text.isEmpty { try await outbound.write(ByteBuffer(string: text)) }
            var all = ""
            for try await buffer in inbound {
                all += String(buffer: buffer)
                if all.filter({ $0 == "\n" }).count >= count { break }
            }
            return all.split(separator: "\n").map(String.init)
        }
    }

    private let hello = "VERSION\t1\t1\nCPID\t5\n"

    @Test func overTCP() async throws {
        let users = OneUser()
        try await withServer(.tcp(host: "127.0.0.1", port: 0), users) { listener in
            let lines = try await converse(listener, hello + "AUTH\t1\tPLAIN\tservice=smtp\trip=192.0.2.1\tsecured\tresp=AGFsaWNlAHNlY3JldA==\n", lines: 9)
            #expect(lines.prefix(8).last == "DONE" && lines.last == "OK\t1\tuser=alice@home.example")
            #expect(users.clients.withLock { $0 } == [IPAddress("192.0.2.1")])
        }
    }

    @Test func overAUNIXSocketWhichGoesAwayAgain() async throws {
        let path = "/tmp/da-\(UUID().uuidString.prefix(8))"
        try await withServer(.unix(try UnixSocket(path))) { listener in
            let lines = try await converse(listener, hello + "AUTH\t1\tPLAIN\tsecured\tresp=AGFsaWNlAHdyb25n\n", lines: 9)
            #expect(lines.last == "FAIL\t1\tuser=alice")
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func aCheckThatTakesTooLongIsATemporaryFailure() async throws {
        try await withServer(.tcp(host: "127.0.0.1", port: 0), configure: { $0.checkTimeout = .milliseconds(20) }) { listener in
            // NUL slow NUL x
            let lines = try await converse(listener, hello + "AUTH\t1\tPLAIN\tsecured\tresp=AHNsb3cAeA==\n", lines: 9)
            #expect(lines.last?.hasPrefix("FAIL\t1\tuser=slow\ttemp") == true)
        }
    }

    @Test func whoSaysNothingIsSentAway() async throws {
        try await withServer(.tcp(host: "127.0.0.1", port: 0), configure: { $0.handshakeTimeout = .milliseconds(20) }) { listener in
            // Returns only when the server has closed.
            let lines = try await converse(listener, "", lines: 100)
            #expect(lines.last == "DONE")
        }
    }

    @Test func aLineWithoutEndIsNotKept() async throws {
        try await withServer(.tcp(host: "127.0.0.1", port: 0)) { listener in
            // Returns only when the server has closed, orderly or, with octets left unread, by a reset.
            let lines = (try? await converse(listener, hello + String(repeating: "x", count: 20000), lines: 100)) ?? []
            #expect(lines.count <= 8)
        }
    }
}
