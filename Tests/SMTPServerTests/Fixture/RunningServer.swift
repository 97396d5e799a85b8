import BlockingPool
import Foundation
import InternetMessage
import Logging
import Milter
import NIOCore
import NIOPosix
import NetworkAddress
import Testing
@testable import SMTPServer
@testable import TLS

/// A server on free ports of the loopback, with listeners `smtp`, `submission` and `submissions`.
struct RunningServer {
    let server: SMTPServer
    let addresses: [SMTPServer.BoundAddress]
    let shelf: Shelf
    let clientTLS: TLSContext

    var port: Int { addresses[0].port }
    var submissionPort: Int { addresses[1].port }
    var submissionsPort: Int { addresses[2].port }

    /// Starts one, lets `body` talk to it, and stops it.
    /// - Parameter unfiltered: listeners without the filters.
    static func with(
        filters: [any MailFilter] = [], unfiltered: Set<String> = [], shelf: Shelf = Shelf(), reverseName: (@Sendable (IPAddress) async -> String?)? = nil,
        configure: (inout SMTPServerConfiguration) -> Void = { _ in }, _ body: (RunningServer) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "smtp-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let running = try await start(folder, filters, unfiltered, shelf, reverseName, configure)
        do {
            try await body(running)
        } catch {
            await running.server.shutdown(deadline: .zero)
            throw error
        }
        await running.server.shutdown(deadline: .seconds(1))
    }

    private static func start(
        _ folder: String, _ filters: [any MailFilter], _ unfiltered: Set<String>, _ shelf: Shelf, _ reverseName: (@Sendable (IPAddress) async -> String?)?,
        _ configure: (inout SMTPServerConfiguration) -> Void
    ) async throws -> RunningServer {
        let pair = try SelfSignedCertificate.generate(names: ["mx.home.example"], days: 1)
        try pair.certificatePEM.write(toFile: folder + "/c.pem", atomically: true, encoding: .utf8)
        try pair.privateKeyPEM.write(toFile: folder + "/k.pem", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder + "/k.pem")
        let context = try TLSContext.server(certificateChain: folder + "/c.pem", privateKey: folder + "/k.pem")
        var configuration = SMTPServerConfiguration(
            hostname: try #require(DomainName("mx.home.example")),
            listeners: [.smtp(host: "127.0.0.1", port: 0), .submission(host: "127.0.0.1", port: 0), .submissions(host: "127.0.0.1", port: 0)],
            spoolFolder: folder)
        configure(&configuration)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let chain = FilterChain(filters)
        let server = SMTPServer(
            configuration: configuration, chain: { unfiltered.contains($0.name) ? FilterChain([]) : chain }, authenticator: OneUser(), recipients: Directory(), sink: shelf, tls: { context },
            pool: BlockingPool(threads: 2), group: MultiThreadedEventLoopGroup.singleton, logger: logger, reverseName: reverseName)
        return RunningServer(server: server, addresses: try await server.start(), shelf: shelf, clientTLS: try TLSContext.client(trust: .nobody))
    }

    func client() async throws -> TestClient { try await TestClient.connect(port: port) }

    /// Connects to `smtp`, takes the greeting and says EHLO.
    func greeted() async throws -> TestClient {
        let client = try await client()
        _ = try await client.reply()
        _ = try await client.say("EHLO a.example")
        return client
    }

    /// Logged in as alice.
    func loggedIn() async throws -> TestClient {
        let client = try await TestClient.connect(port: submissionsPort, tls: clientTLS)
        _ = try await client.reply()
        _ = try await client.say("EHLO a.example")
        let reply = try await client.say("AUTH PLAIN AGFsaWNlAHNlY3JldA==")
        #expect(reply.hasPrefix("235"))
        return client
    }

    /// A conversation as text: `C:` lines are said, each `S:` line is how the next reply begins, `T` starts TLS. Blank
    /// lines and what follows `#` are for the reader.
    func converse(_ client: TestClient, _ text: String) async throws {
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("C:") {
                try await client.send(line.dropFirst(2).drop { $0 == " " } + "\r\n")
            } else if line.hasPrefix("S:") {
                let expected = line.dropFirst(2).drop { $0 == " " }
                let reply = try await client.reply()
                #expect(reply.hasPrefix(expected), "expected '\(expected)', got '\(reply)'")
            } else if line == "T" {
                try await client.startTLS(clientTLS)
            }
        }
    }
}
