import DNS
import Foundation
import InternetMessage
import NetworkAddress
import NIOPosix
import SMTPClient
import SMTPCore
import Synchronization
import Testing
import TLS

@Suite(.timeLimit(.minutes(1))) struct ClientTLSTests {
    let group = MultiThreadedEventLoopGroup.singleton

    /// A certificate for the names in a folder of its own.
    final class Certificate {
        let folder = NSTemporaryDirectory() + "/tls-\(UUID().uuidString)"
        var path: String { folder + "/cert.pem" }

        init(_ names: String...) throws {
            let made = try SelfSignedCertificate.generate(names: names, days: 2)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(made.certificatePEM.utf8).write(to: URL(fileURLWithPath: path))
            _ = FileManager.default.createFile(atPath: folder + "/key.pem", contents: Data(made.privateKeyPEM.utf8), attributes: [.posixPermissions: 0o600])
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        func server() throws -> TLSContext { try TLSContext.server(certificateChain: path, privateKey: folder + "/key.pem") }
    }

    func deliver(_ server: ScriptedServer, _ level: TLSLevel, trusting: Certificate? = nil, requireTLS: Bool = false) async throws -> RecipientResult {
        var configuration = SMTPClientConfiguration(heloName: "us.test")
        configuration.port = server.port
        configuration.tlsLevel = level
        let tls = ClientTLS(opportunistic: try TLSContext.client(trust: .nobody, legacyCiphers: true),
                            verifying: try trusting.map { try TLSContext.client(trust: .file($0.path)) })
        let resolver = LiteralResolver(["d.test MX": ["10 mx.test"], "mx.test A": ["127.0.0.1"]])
        let client = SMTPClient(resolver: resolver, group: group, configuration: configuration, tls: tls)
        let recipient = ClientRecipient(try #require(EmailAddress("bob@d.test")))
        let sender = OutgoingSender(EmailAddress("alice@us.test"), requireTLS: requireTLS)
        let report = await client.deliver(from: sender, to: [recipient], via: client.nextHop(for: recipient.address),
                                          message: OutgoingMessage(Array("Subject: hi\r\n\r\nsecret\r\n".utf8)))
        return try #require(report.results.first)
    }

    @Test func offeredTLSIsUsedWhoeverAnswers() async throws {
        let certificate = try Certificate("other.test")
        let server = try await ScriptedServer(.accepting("STARTTLS", "PIPELINING").answering("STARTTLS", "220 go").securing(certificate.server()), group: group)
        let result = try await deliver(server, .may)
        #expect(result.kind == .delivered)
        #expect(result.server?.tls?.hasPrefix("TLSv1.3 with cipher ") == true)
        #expect(server.journal.commands == [["EHLO us.test", "STARTTLS", "EHLO us.test", "MAIL FROM:<alice@us.test>", "RCPT TO:<bob@d.test>", "DATA"]
            + (server.journal.commands.first?.contains("QUIT") == true ? ["QUIT"] : [])])
        await server.stop()
    }

    @Test func aBrokenHandshakeFallsBackToClearOnAFreshConnectionOnlyWhereOptional() async throws {
        // Says 220 and speaks no TLS: the ClientHello is answered in clear.
        let broken = ScriptedServer.Script.accepting("STARTTLS").answering("STARTTLS", "220 go").answeringGarbage()
        let server = try await ScriptedServer(broken, .accepting(), group: group)
        let free = try await deliver(server, .may)
        #expect(free.kind == .delivered)
        #expect(free.server?.tls == nil)
        #expect(server.journal.commands.count == 2)
        await server.stop()
        let strict = try await ScriptedServer(broken, .accepting(), group: group)
        #expect(try await deliver(strict, .encrypt).status == "4.7.5")
        #expect(strict.journal.messages.isEmpty)
        await strict.stop()
    }

    @Test func aServerThatWantsTLSAndCannotShakeHandsRefusesNobody() async throws {
        let broken = ScriptedServer.Script.accepting("STARTTLS").answering("STARTTLS", "220 go").answeringGarbage()
        let server = try await ScriptedServer(broken, .accepting("STARTTLS").answering("MAIL", "530 5.7.0 Must issue a STARTTLS command first"), group: group)
        let result = try await deliver(server, .may)
        #expect(result.kind == .temporary && result.cause == .tls && result.status == "4.7.5")
        await server.stop()
    }

    @Test func verificationWantsTheNameFromATrustedIssuer() async throws {
        let right = try Certificate("mx.test"), wrong = try Certificate("other.test")
        let script = ScriptedServer.Script.accepting("STARTTLS").answering("STARTTLS", "220 go")
        let good = try await ScriptedServer(script.securing(right.server()), group: group)
        #expect(try await deliver(good, .verify, trusting: right).kind == .delivered)
        let untrusted = try await deliver(good, .verify, trusting: wrong)
        #expect(untrusted.status == "4.7.5")
        #expect(try await deliver(good, .verify).status == "4.7.5")
        await good.stop()
        let misnamed = try await ScriptedServer(script.securing(wrong.server()), group: group)
        #expect(try await deliver(misnamed, .verify, trusting: wrong).status == "4.7.5")
        #expect(misnamed.journal.messages.isEmpty)
        await misnamed.stop()
    }

    @Test func aCertificateThatFailsIsNoReasonForClearText() async throws {
        let certificate = try Certificate("other.test")
        let script = ScriptedServer.Script.accepting("STARTTLS").answering("STARTTLS", "220 go").securing(try certificate.server())
        let server = try await ScriptedServer(script, .accepting(), group: group)
        #expect(try await deliver(server, .verify, trusting: certificate).kind == .temporary)
        #expect(server.journal.commands.count == 1)
        await server.stop()
    }

    @Test func requireTLSIsHonouredOrRefused() async throws {
        let certificate = try Certificate("mx.test")
        let script = ScriptedServer.Script.accepting("STARTTLS").answering("STARTTLS", "220 go").securing(try certificate.server())
        let without = try await ScriptedServer(script, group: group)
        #expect(try await deliver(without, .may, trusting: certificate, requireTLS: true).status == "5.7.30")
        #expect(without.journal.messages.isEmpty)
        await without.stop()
    }

    /// The certificate's octets, in hexadecimal: what a TLSA record `3 0 0` holds.
    static func hex(_ certificate: Certificate) throws -> String {
        let lines = try String(contentsOfFile: certificate.path, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("-") }
        return try #require(Data(base64Encoded: lines.joined())).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Delivers with a proved zone in which the record stands.
    func deliverByDANE(_ server: ScriptedServer, _ record: String, observe: @escaping @Sendable (TLSObservation) -> Void = { _ in }) async throws -> RecipientResult {
        var configuration = SMTPClientConfiguration(heloName: "us.test")
        configuration.port = server.port
        configuration.tlsLevel = .dane
        let tls = ClientTLS(opportunistic: try TLSContext.client(trust: .nobody, legacyCiphers: true), verifying: nil)
        let zone = ["d.test MX": ["10 mx.test"], "mx.test A": ["127.0.0.1"], "_\(server.port)._tcp.mx.test TLSA": [record]]
        let client = SMTPClient(resolver: LiteralResolver(zone, secure: { _ in true }), group: group, configuration: configuration, tls: tls, observe: observe)
        let recipient = ClientRecipient(try #require(EmailAddress("bob@d.test")))
        let report = await client.deliver(from: OutgoingSender(EmailAddress("alice@us.test")), to: [recipient], via: client.nextHop(for: recipient.address),
                                          message: OutgoingMessage(Array("Subject: hi\r\n\r\nsecret\r\n".utf8)))
        return try #require(report.results.first)
    }

    @Test func aTLSARecordProvesTheServerOrKeepsTheMessage() async throws {
        // Of another name and from nobody's authority: with usage 3 only the record counts.
        let certificate = try Certificate("unrelated.test"), other = try Certificate("mx.test")
        let script = ScriptedServer.Script.accepting("STARTTLS").answering("STARTTLS", "220 go").securing(try certificate.server())
        let server = try await ScriptedServer(script, group: group)
        let seen = Mutex<[TLSObservation]>([])
        let right = try await deliverByDANE(server, "3 0 0 " + Self.hex(certificate)) { one in seen.withLock { $0.append(one) } }
        #expect(right.kind == .delivered)
        let wrong = try await deliverByDANE(server, "3 0 0 " + Self.hex(other)) { one in seen.withLock { $0.append(one) } }
        #expect(wrong.kind == .temporary && wrong.status == "4.7.5" && wrong.cause == .tls)
        #expect(server.journal.messages.count == 1)
        #expect(seen.withLock { $0.map(\.failure) } == [nil, .validation])
        #expect(seen.withLock { $0.map(\.source) } == [.tlsa, .tlsa])
        await server.stop()
        let stripped = try await ScriptedServer(.accepting(), group: group)
        #expect(try await deliverByDANE(stripped, "3 0 0 " + Self.hex(certificate)).cause == .tls)
        #expect(stripped.journal.messages.isEmpty)
        await stripped.stop()
    }
}
