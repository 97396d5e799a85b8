import InternetMessage
import SMTPCore
import Testing

@Suite struct ClientHelloTests {
    @Test func greetingAndEHLO() {
        var talk = ClientDialogue()
        #expect(talk.lastDeadline == .seconds(300))
        #expect(talk.server("220-mx", "220 ready") == "EHLO client.example\r\n")
        #expect(talk.server("250 mx.example.net") == "")
        #expect(talk.isReady)
        #expect(talk.lastDeadline == nil)
        #expect(talk.take(talk.session.quit()) == "QUIT\r\n")
        talk.server("221 bye")
        #expect(talk.log.last == .close)
        #expect(talk.failure == nil)
    }

    @Test(arguments: ["554 go away", "450 later"]) func aRefusedGreeting(line: String) {
        var talk = ClientDialogue()
        #expect(talk.server(line) == "QUIT\r\n")
        guard case .refused(at: "the greeting", _) = talk.failure else { Issue.record("\(String(describing: talk.failure))"); return }
        #expect(talk.failure?.status.hasPrefix("4.") == true)
    }

    @Test func aServerWithoutEHLOIsGreetedWithHELO() {
        var talk = ClientDialogue(tls: .ifOffered)
        talk.server("220 old")
        #expect(talk.server("502 what?") == "HELO client.example\r\n")
        talk.server("250 old")
        #expect(talk.isReady)
    }

    @Test func startTLSForgetsWhatWasOfferedInClear() throws {
        var talk = ClientDialogue(tls: .required)
        talk.server("220 mx")
        #expect(talk.server("250-mx", "250-8BITMIME", "250 STARTTLS") == "STARTTLS\r\n")
        talk.server("220 go")
        #expect(talk.log.contains(.startTLS))
        #expect(talk.take(talk.session.tlsEstablished()) == "EHLO client.example\r\n")
        talk.server("250 mx")
        #expect(talk.log.last == .ready(.none(serverName: "mx")))
        #expect(talk.session.isEncrypted)
    }

    @Test func octetsBehindTheReplyToSTARTTLSAreAnAttack() {
        for extra in ["250 forged\r\n", "2"] {
            var talk = ClientDialogue(tls: .ifOffered)
            talk.server("220 mx")
            talk.server("250-mx", "250 STARTTLS")
            talk.take(talk.session.received(Array(("220 go\r\n" + extra).utf8)))
            #expect(!talk.log.contains(.startTLS))
            #expect(talk.failure != nil)
        }
    }

    @Test func refusedTLSIsBorneOnlyWhereItIsOptional() {
        var optional = ClientDialogue(tls: .ifOffered)
        optional.server("220 mx")
        optional.server("250-mx", "250 STARTTLS")
        optional.server("454 4.7.0 no")
        #expect(optional.isReady && !optional.session.isEncrypted)
        var required = ClientDialogue(tls: .required)
        required.server("220 mx")
        required.server("250-mx", "250 STARTTLS")
        required.server("454 4.7.0 no")
        #expect(required.failure == .tlsRefused(SMTPReply(454, "4.7.0", "no")))
        var unoffered = ClientDialogue(tls: .required)
        unoffered.greet("PIPELINING")
        #expect(unoffered.failure == .tlsNotOffered)
    }

    @Test func authPlainOnlyThroughTLS() {
        var clear = ClientDialogue(tls: .ifOffered, credentials: ClientCredentials(user: "u", password: "p"))
        clear.greet("AUTH PLAIN")
        guard case .authenticationUnavailable = clear.failure else { Issue.record("sent a password in clear"); return }
        var allowed = ClientDialogue(credentials: ClientCredentials(user: "u", password: "p", allowWithoutTLS: true))
        allowed.server("220 mx")
        // RFC 4616: [authzid] NUL authcid NUL passwd
        #expect(allowed.server("250-mx", "250 AUTH LOGIN PLAIN") == "AUTH PLAIN AHUAcA==\r\n")
        allowed.server("235 2.7.0 welcome")
        #expect(allowed.isReady)
        var refused = ClientDialogue(credentials: ClientCredentials(user: "u", password: "p", allowWithoutTLS: true))
        refused.greet("AUTH PLAIN")
        refused.server("535 5.7.8 wrong")
        #expect(refused.failure == .authenticationRefused(SMTPReply(535, "5.7.8", "wrong")))
    }

    @Test func timeOutsLossesAndGarbageEndTheSession() {
        var late = ClientDialogue()
        late.take(late.session.timedOut())
        #expect(late.failure == .timedOut(at: "the greeting"))
        var lost = ClientDialogue()
        lost.server("220 mx")
        lost.take(lost.session.connectionClosed())
        #expect(lost.failure == .connectionLost(at: "the reply to EHLO"))
        var garbage = ClientDialogue()
        garbage.server("SSH-2.0-OpenSSH")
        guard case .protocolError = garbage.failure else { Issue.record("\(String(describing: garbage.failure))"); return }
        #expect(garbage.session.received(Array("220 late\r\n".utf8)).isEmpty)
    }

    @Test func timeoutsScale() {
        let small = ClientTimeouts().scaled(by: 0.001)
        #expect(small.greeting == .milliseconds(300))
        #expect(small.dataTermination == .milliseconds(600))
    }
}
