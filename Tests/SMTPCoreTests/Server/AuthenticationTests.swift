import InternetMessage
import SASL
import Testing
@testable import SMTPCore

/// RFC 4954, RFC 4616.
@Suite struct AuthenticationTests {
    /// NUL alice NUL secret
    static let plain = "AGFsaWNlAHNlY3JldA=="

    func ready(_ change: (inout ServerSettings) -> Void = { _ in }) -> ServerFixture {
        var fixture = ServerFixture(isTLS: true) { $0.offersAuthentication = true; change(&$0) }
        fixture.send("EHLO a\r\n")
        return fixture
    }

    @Test(arguments: ["AUTH PLAIN \(plain)\r\n", "AUTH PLAIN\r\n\(plain)\r\n"]) func plainMechanism(_ text: String) {
        var fixture = ready()
        #expect(fixture.send(text, step: 5).hasSuffix("235 2.7.0 Authentication successful\r\n"))
        #expect(fixture.questions.last == .authenticate(Credentials(mechanism: "PLAIN", user: "alice", password: "secret")))
        #expect(fixture.machine.isAuthenticated)
        #expect(fixture.send(text).hasPrefix("503 5.5.1"))
    }

    @Test(arguments: ["AUTH LOGIN\r\nYWxpY2U=\r\nc2VjcmV0\r\n", "AUTH LOGIN YWxpY2U=\r\nc2VjcmV0\r\n"]) func loginMechanism(_ text: String) {
        var fixture = ready()
        let said = fixture.send(text)
        #expect(said.hasSuffix("334 UGFzc3dvcmQ6\r\n235 2.7.0 Authentication successful\r\n"))
        #expect(fixture.questions.last == .authenticate(Credentials(mechanism: "LOGIN", user: "alice", password: "secret")))
    }

    @Test func emptyChallengeOfPlain() {
        var fixture = ready()
        #expect(fixture.send("AUTH PLAIN\r\n") == "334 \r\n")
        #expect(fixture.send("*\r\n").hasPrefix("501"))
        #expect(fixture.send("NOOP\r\n").hasPrefix("250"))
    }

    /// Bad base64; no NUL; another's authorisation identity; an empty user; no UTF-8.
    @Test(arguments: ["AG=", "YWxpY2U=", "Ym9iAGFsaWNlAHNlY3JldA==", "AABzZWNyZXQ=", "AP8Ac2VjcmV0"]) func malformed(_ text: String) {
        var fixture = ready()
        #expect(fixture.send("AUTH PLAIN \(text)\r\n").hasPrefix("501 5.5.2"))
        #expect(!fixture.machine.isAuthenticated)
    }

    @Test func refusedPasswords() {
        var fixture = ready()
        fixture.refuse = { if case .authenticate = $0 { SMTPReply(535, "5.7.8", "Error: authentication failed") } else { nil } }
        let line = "AUTH PLAIN \(Self.plain)\r\n"
        #expect(fixture.send(line + line + line).components(3) == ["535", "535", "535", "421"])
        #expect(fixture.isClosed && !fixture.machine.isAuthenticated)
    }

    @Test func notNow() {
        var fixture = ready()
        fixture.send("MAIL FROM:<>\r\n")
        #expect(fixture.send("AUTH PLAIN \(Self.plain)\r\n").hasPrefix("503"))
        fixture.send("RSET\r\n")
        #expect(fixture.send("AUTH GSSAPI\r\n").hasPrefix("504 5.5.4"))
        var clear = ServerFixture { $0.offersAuthentication = true }
        clear.send("EHLO a\r\n")
        #expect(clear.send("AUTH PLAIN \(Self.plain)\r\n").hasPrefix("538 5.7.11"))
        var none = ServerFixture(isTLS: true)
        none.send("EHLO a\r\n")
        #expect(none.send("AUTH PLAIN \(Self.plain)\r\n").hasPrefix("503"))
    }

    /// RFC 4954 §4: lines of 12,288 octets; longer ones are refused with 5.5.6.
    @Test func longLines() {
        var fixture = ready()
        let fitting = String(repeating: "A", count: 12000)
        #expect(fixture.send("AUTH PLAIN \(fitting)\r\n").hasPrefix("501"))
        fixture.send("AUTH PLAIN\r\n")
        #expect(fixture.send(String(repeating: "A", count: 13000) + "\r\n").hasPrefix("500 5.5.6"))
        #expect(fixture.send("NOOP\r\n").hasPrefix("250"))
    }
}
