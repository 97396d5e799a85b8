import InternetMessage
import SASL
import Testing
@testable import SMTPCore

/// AUTH with SCRAM-SHA-256 and -PLUS (RFC 4954, RFC 5802, RFC 7677).
@Suite struct ScramTests {
    static let bindings: [String: [UInt8]] = ["tls-exporter": Array(repeating: 7, count: 32)]

    func ready(_ change: (inout ServerFixture) -> Void = { _ in }) throws -> ServerFixture {
        var fixture = ServerFixture(isTLS: true) { $0.offersAuthentication = true; $0.offersSCRAM = true }
        fixture.keys = try #require(SCRAMKeys.derive(from: "pencil", salt: Array("saltsaltsaltsalt".utf8), iterations: 4096))
        change(&fixture)
        return fixture
    }

    /// Of a 334; its CRLF is one character.
    static func text(_ reply: String) -> [UInt8] { Base64.decodeStrictly(Array(reply.dropFirst(4).dropLast().utf8)) ?? [] }

    @Test func whatIsOffered() throws {
        var fixture = try ready()
        #expect(fixture.send("EHLO a\r\n").contains("AUTH PLAIN LOGIN SCRAM-SHA-256\r\n"))
        var bound = try ready { $0.machine.channelBindings = Self.bindings }
        #expect(bound.send("EHLO a\r\n").contains("AUTH PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS\r\n"))
        var without = ServerFixture(isTLS: true) { $0.offersAuthentication = true }
        #expect(without.send("EHLO a\r\n").contains("AUTH PLAIN LOGIN\r\n"))
        #expect(without.send("AUTH SCRAM-SHA-256\r\n").hasPrefix("504 5.5.4"))
        #expect(fixture.send("AUTH SCRAM-SHA-256-PLUS\r\n").hasPrefix("504 5.5.4"))
    }

    @Test func theWholeExchange() throws {
        var fixture = try ready()
        fixture.send("EHLO a\r\n")
        var client = SCRAMClient(user: "alice", password: "pencil")
        client.challenge = Self.text(fixture.send("AUTH SCRAM-SHA-256 \(Base64.encode(client.first))\r\n"))
        #expect(fixture.questions.last == .scramKeys(user: "alice"))
        let (proved, final) = client.proved()
        let said = fixture.send("\(Base64.encode(try #require(final)))\r\n")
        #expect(said.hasPrefix("334 ") && proved.accepts(Self.text(said)) && !fixture.machine.isAuthenticated)
        #expect(fixture.send("\r\n").hasPrefix("235 2.7.0"))
        #expect(fixture.questions.last == .scramProved(mechanism: "SCRAM-SHA-256", user: "alice", key: fixture.keys?.storedKey))
        #expect(fixture.machine.isAuthenticated)
    }

    @Test func wrongPasswordsAndNobody() throws {
        var fixture = try ready()
        fixture.refuse = { if case .scramRefused = $0 { SMTPReply(535, "5.7.8", "no") } else { nil } }
        fixture.send("EHLO a\r\n")
        for _ in 0..<3 {
            var client = SCRAMClient(user: "alice", password: "guess")
            client.challenge = Self.text(fixture.send("AUTH SCRAM-SHA-256 \(Base64.encode(client.first))\r\n"))
            #expect(fixture.send("\(Base64.encode(try #require(client.proved().1)))\r\n").hasPrefix("535 5.7.8"))
            #expect(fixture.questions.last == .scramRefused(mechanism: "SCRAM-SHA-256", .wrongProof, user: "alice"))
        }
        #expect(fixture.isClosed && !fixture.machine.isAuthenticated)
    }

    /// A client that says `y` was not shown the -PLUS that we offer (RFC 5802 §6).
    @Test func downgrade() throws {
        var fixture = try ready { $0.machine.channelBindings = Self.bindings }
        fixture.refuse = { if case .scramRefused = $0 { SMTPReply(535, "5.7.8", "no") } else { nil } }
        fixture.send("EHLO a\r\n")
        #expect(fixture.send("AUTH SCRAM-SHA-256 \(Base64.encode(Array("y,,n=alice,r=nonce".utf8)))\r\n").hasPrefix("535"))
        #expect(fixture.questions.last == .scramRefused(mechanism: "SCRAM-SHA-256", .downgrade, user: nil))
    }

    /// An answer of the wrong kind logs nobody in.
    @Test func keysInPlaceOfAVerdict() throws {
        var fixture = try ready()
        fixture.answersKeysAlways = true
        fixture.send("EHLO a\r\n")
        #expect(fixture.send("AUTH PLAIN \(AuthenticationTests.plain)\r\n").hasPrefix("454 4.7.0"))
        #expect(!fixture.machine.isAuthenticated)
    }
}
