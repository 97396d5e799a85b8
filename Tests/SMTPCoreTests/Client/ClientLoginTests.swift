import InternetMessage
import SASL
import SMTPCore
import Testing

/// AUTH (RFC 4954) with SCRAM-SHA-256 (RFC 7677), PLAIN and LOGIN.
@Suite struct ClientLoginTests {
    static let credentials = ClientCredentials(user: "user", password: "pencil", allowWithoutTLS: true)

    func dialogue(_ mechanisms: String) -> (ClientDialogue, first: String) {
        var talk = ClientDialogue(credentials: Self.credentials)
        talk.server("220 mx")
        let first = talk.server("250-mx", "250 AUTH \(mechanisms)")
        return (talk, first)
    }

    static func text(_ base64: Substring) -> String { String(decoding: Base64.decode(Array(base64.utf8)), as: UTF8.self) }

    /// Plays SCRAM's server with our own, which has the standard's example as its test.
    func scram(_ talk: inout ClientDialogue, first: String, password: String = "pencil") throws -> (reply: String, final: String) {
        var server = SCRAMExchange()
        #expect(try server.clientFirst(Base64.decode(Array(first.dropFirst(19).dropLast().utf8))) == "user")
        let challenge = try server.serverFirst(try #require(SCRAMKeys.derive(from: password, iterations: 4096)))
        let actions = talk.session.received(Array("334 \(Base64.encode(challenge))\r\n".utf8))
        guard case .deriveProof(let exchange)? = actions.first else { Issue.record("no proof is made"); return ("", "") }
        let (proved, proof) = exchange.proved()
        let reply = talk.take(talk.session.proofDerived(proved, proof))
        return (reply, Base64.encode(try server.clientFinal(Base64.decode(Array(reply.dropLast().utf8)))))
    }

    @Test func scramProvesBothSides() throws {
        var (talk, first) = dialogue("PLAIN LOGIN SCRAM-SHA-256")
        #expect(first.hasPrefix("AUTH SCRAM-SHA-256 ") && Self.text(first.dropFirst(19).dropLast()).hasPrefix("n,,n=user,r="))
        let (_, final) = try scram(&talk, first: first)
        #expect(talk.server("334 \(final)") == "\r\n")
        talk.server("235 2.7.0 welcome")
        #expect(talk.isReady)
    }

    @Test func aServerThatDoesNotKnowThePasswordIsNotBelieved() throws {
        var (talk, first) = dialogue("SCRAM-SHA-256")
        _ = try scram(&talk, first: first)
        talk.server("235 2.7.0 welcome")
        guard case .authenticationUnavailable? = talk.failure else { Issue.record("an impostor was believed"); return }
        var (other, start) = dialogue("SCRAM-SHA-256")
        _ = try scram(&other, first: start)
        other.server("334 \(Base64.encode(Array("v=AAAA".utf8)))")
        #expect(other.failure != nil && !other.isReady)
    }

    @Test(arguments: ["r=other,s=AAAA,i=4096", "nonsense", ""]) func aChallengeThatIsNone(text: String) {
        let (talk, _) = dialogue("SCRAM-SHA-256")
        var session = talk.session
        guard case .deriveProof(let exchange)? = session.received(Array("334 \(Base64.encode(Array(text.utf8)))\r\n".utf8)).first else { return }
        let (proved, proof) = exchange.proved()
        #expect(proof == nil)
        guard case .failed(.authenticationUnavailable) = session.proofDerived(proved, proof).dropFirst().first else { Issue.record("went on"); return }
    }

    @Test func theStandardsExample() throws {
        // RFC 7677 §3
        var exchange = SCRAMClient(user: "user", password: "pencil", nonce: "rOprNGfwEbeRWgbNEkqO")
        #expect(String(decoding: exchange.first, as: UTF8.self) == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
        exchange.challenge = Array("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".utf8)
        let (proved, proof) = exchange.proved()
        #expect(String(decoding: try #require(proof), as: UTF8.self)
            == "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
        #expect(proved.accepts(Array("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".utf8)))
        #expect(!proved.accepts(Array("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".utf8)))
        exchange.challenge = Array("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999".utf8)
        #expect(exchange.proved().1 == nil)
    }

    @Test func loginIsAskedForUserAndPassword() {
        var (talk, first) = dialogue("LOGIN CRAM-MD5")
        #expect(first == "AUTH LOGIN\r\n")
        #expect(talk.server("334 VXNlcm5hbWU6") == "dXNlcg==\r\n")
        #expect(talk.server("334 UGFzc3dvcmQ6") == "cGVuY2ls\r\n")
        talk.server("235 ok")
        #expect(talk.isReady)
    }

    @Test func nothingIsSentWithoutAMechanismOfOurs() {
        let (talk, first) = dialogue("CRAM-MD5 GSSAPI")
        #expect(first.isEmpty)
        guard case .authenticationUnavailable? = talk.failure else { Issue.record("\(String(describing: talk.failure))"); return }
    }
}
