import Milter
import Testing
@testable import MilterClient

/// SMFIC_OPTNEG: versions, what is offered, macro lists.
@Suite struct NegotiationTests {
    /// Of 6 everything that we do; of lower ones what libmilter's mfdef.h gives them.
    static let offers: [(UInt32, UInt32, UInt32)] = [(6, 0x1ff, 0x1ff7ff), (5, 0xff, 0x37f), (4, 0xff, 0x37f), (3, 0x3f, 0x17f), (2, 0x3f, 0x7f)]

    @Test(arguments: offers) func offered(_ version: UInt32, _ actions: UInt32, _ flags: UInt32) async throws {
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(version, actions: 0))) { milter in
            #expect(await Bench(milter) { $0.maximumVersion = version }.message().answer == .continue)
            #expect(milter.packets.first == Packet(code: "O", data: Reaction.number(version) + Reaction.number(actions) + Reaction.number(flags)))
        }
    }

    @Test(arguments: 2...6 as ClosedRange<UInt32>) func anOlderMilter(_ version: UInt32) async throws {
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(version, actions: 0x3f))) { milter in
            #expect(await Bench(milter).message().answer == .continue)
            // DATA came with version 4.
            #expect(milter.codes.contains("T") == (version >= 4))
            #expect(milter.codes.contains("E"))
        }
    }

    static let refused: [Reaction] = [
        .negotiate(7), .negotiate(1), .negotiate(0), .negotiate(6, actions: 0x200), .say("c"), .say("O", [0, 0, 0, 6]), .say("O", []), .hangUp,
    ]

    @Test(arguments: refused.indices) func notToBeSpokenTo(_ index: Int) async throws {
        try await ScriptedMilter.with(ScriptedMilter.script(Self.refused[index])) { milter in
            #expect(await Bench(milter).message().answer == .tempfail)
            #expect(milter.codes == "O")
        }
    }

    @Test func macrosNamedByTheMilter() async throws {
        let lists: [(UInt32, String)] = [(0, "{client_addr} {client_port} {client_name} _"), (1, "{tls_version} {cipher} {cipher_bits}"), (2, "i {mail_addr} {mail_host}"), (3, "{rcpt_addr} {nonsense}"), (4, ""), (5, "i j"), (6, "{daemon_name}")]
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(macros: lists))) { milter in
            _ = await Bench(milter).message()
            #expect(milter.macros(for: "C") == ["{client_addr}": "192.0.2.7", "{client_port}": "4711", "{client_name}": "client.example", "_": "client.example [192.0.2.7]"])
            #expect(milter.macros(for: "H") == ["{tls_version}": "TLSv1.3", "{cipher}": "TLS_AES_256_GCM_SHA384", "{cipher_bits}": "256"])
            #expect(milter.macros(for: "M") == ["i": "4B1D", "{mail_addr}": "s@a.example", "{mail_host}": "a.example"])
            #expect(milter.macros(for: "R") == ["{rcpt_addr}": "r@home.example"])
            // An empty list is none, not the default one.
            #expect(milter.macros(for: "T") == nil)
            #expect(milter.macros(for: "E") == ["i": "4B1D", "j": "mail.home.example"])
            #expect(milter.macros(for: "N") == ["{daemon_name}": "smtpd"])
        }
    }

    @Test func macrosAsPostfixGivesThemByDefault() async throws {
        try await ScriptedMilter.with(ScriptedMilter.script()) { milter in
            _ = await Bench(milter).message()
            #expect(milter.macros(for: "C") == ["j": "mail.home.example", "{daemon_name}": "smtpd", "{daemon_addr}": "192.0.2.1", "v": "postern", "_": "client.example [192.0.2.7]"])
            // Postfix's {cert_subject} and {cert_issuer} need a client certificate, which we ask nobody for.
            #expect(milter.macros(for: "H") == ["{tls_version}": "TLSv1.3", "{cipher}": "TLS_AES_256_GCM_SHA384", "{cipher_bits}": "256"])
            #expect(milter.macros(for: "M") == ["i": "4B1D", "{auth_type}": "PLAIN", "{auth_authen}": "alice", "{mail_addr}": "s@a.example", "{mail_host}": "a.example", "{mail_mailer}": "smtp"])
            #expect(milter.macros(for: "R") == ["i": "4B1D", "{rcpt_addr}": "r@home.example", "{rcpt_host}": "home.example", "{rcpt_mailer}": "smtp"])
            for stage in "TNE" { #expect(milter.macros(for: stage) == ["i": "4B1D"]) }
        }
    }

    /// What Postfix's cleanup(8) says of mail that did not come over SMTP.
    @Test func macrosOfMailMadeHere() async throws {
        let lists: [(UInt32, String)] = [(0, "j _ {client_addr} {client_name} {client_ptr} {client_port} {daemon_name} {daemon_addr}"), (2, "i {auth_type} {auth_authen} {mail_addr}")]
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(macros: lists))) { milter in
            var session = Bench(milter).session()
            let facts = ConnectionFacts(listener: "local", isOwnNetwork: true)
            var transaction = Transaction(id: "4B1D", connection: facts, helo: "localhost")
            _ = await session.connect(facts)
            _ = await session.mail(&transaction)
            #expect(milter.macros(for: "C") == [
                "j": "mail.home.example", "_": "localhost [127.0.0.1]", "{client_addr}": "127.0.0.1", "{client_name}": "localhost", "{client_ptr}": "localhost",
                "{client_port}": "0", "{daemon_name}": "mail.home.example",
            ])
            #expect(milter.macros(for: "M") == ["i": "4B1D", "{mail_addr}": ""])
            await session.close()
        }
    }
}
