import InternetMessage
import NetworkAddress
import SMTPClient
import Testing

/// Postfix's transport(5).
@Suite struct TransportTests {
    @Test(arguments: [("smtp:[mx.test]:26", "[mx.test]:26"), ("smtp:mx.test", "mx.test"), ("relay:[192.0.2.1]", "[192.0.2.1]"),
                      ("lmtp:unix:/run/x", "lmtp:unix:/run/x"), ("lmtp:localhost:2003", "lmtp:localhost:2003"), ("lmtp:[127.0.0.1]", "lmtp:[127.0.0.1]:24"),
                      ("lmtp:inet:mx.test", "lmtp:mx.test:24"), ("discard:", "discard:"), ("error:we moved", "error:5.0.0 we moved"),
                      ("error:5.1.6 we moved", "error:5.1.6 we moved"), ("error:4.1.6 x", "error:5.0.0 4.1.6 x")])
    func notation(text: String, hop: String) {
        guard case .hop(let made)? = Transport(text) else { Issue.record("\(text) was not understood"); return }
        #expect(made.description == hop)
    }

    @Test(arguments: ["", "smtp", "smtp:[x", "lmtp:", "lmtp:unix:relative", "maildrop:", "local:x"]) func whatIsNone(text: String) { #expect(Transport(text) == nil) }

    @Test func theDomainThenItsParentsThenTheRest() throws {
        var configuration = SMTPClientConfiguration(heloName: "us.test")
        configuration.relayHost = NextHop("[relay.test]")
        configuration.transports = TransportTable(["d.test": .own, ".d.test": try #require(Transport("discard:sub")), ".test": try #require(Transport("discard:test"))])
        func hop(_ domain: String) throws -> String { configuration.nextHop(for: try #require(EmailAddress("a@\(domain)")).domain).description }
        #expect(try hop("d.test") == "d.test")
        #expect(try hop("x.d.test") == "discard:sub")
        #expect(try hop("y.x.d.test") == "discard:sub")
        #expect(try hop("e.test") == "discard:test")
        #expect(try hop("d.example") == "[relay.test]")
        #expect(try hop("[192.0.2.9]") == "[relay.test]")
        configuration.transports.entries["*"] = Transport("error:no")
        #expect(try hop("d.example") == "error:5.0.0 no")
    }
}
