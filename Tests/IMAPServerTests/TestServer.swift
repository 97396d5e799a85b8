import Accounts
import BlockingPool
import Foundation
import InternetMessage
import Logging
import MailStore
import NetworkAddress
import NIOCore
import NIOPosix
@testable import IMAPServer

/// One user, `alice` with the password `secret`.
struct OneUser: Authenticator {
    func authenticate(user: String, password: String, client: IPAddress?) async -> AuthenticationOutcome {
        user.lowercased() == "alice" && password == "secret" ? .success(Account(name: "alice", addresses: [])) : .failure
    }
}

/// A server on a free loopback port over a store of its own.
final class TestServer {
    let root: String
    let store: MailStore
    let server: IMAPServer
    let port: Int

    private init(_ root: String, _ store: MailStore, _ server: IMAPServer, _ port: Int) {
        self.root = root
        self.store = store
        self.server = server
        self.port = port
    }

    static func with(
        _ change: (inout IMAPServerConfiguration) -> Void = { _ in }, tls: @escaping @Sendable () -> TLSUpgrade? = { nil },
        quota: (any QuotaSource)? = nil, _ body: (TestServer) async throws -> Void
    ) async throws {
        let root = NSTemporaryDirectory() + "imapserver-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: root) }
        let store = try MailStore(root: root)
        var configuration = IMAPServerConfiguration(host: "127.0.0.1", port: 0, allowPlaintextLoginOnLoopback: true)
        change(&configuration)
        let server = IMAPServer(
            configuration: configuration, store: store, authenticator: OneUser(), tls: tls, quota: quota, pool: BlockingPool(threads: 4),
            group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let port = try await server.start().port ?? 0
        let harness = TestServer(root, store, server, port)
        do { try await body(harness) } catch {
            await server.shutdown(deadline: .now)
            throw error
        }
        await server.shutdown(deadline: .now)
    }

    func deliver(_ text: String = "Subject: hello\r\nFrom: a@b.example\r\n\r\nbody\r\n", folder: String? = nil) throws {
        _ = try store.deliver(Message(parsing: Array(text.utf8)), to: "alice", folder: folder)
    }

    /// A client that is logged in, and has a mailbox selected if one is named.
    func client(selecting mailbox: String? = nil) throws -> TestClient {
        let client = try TestClient(port: port)
        _ = try client.response()
        try client.run("LOGIN alice secret")
        if let mailbox { try client.run("SELECT \(mailbox)") }
        return client
    }
}
