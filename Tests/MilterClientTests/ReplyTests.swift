import InternetMessage
import Milter
import Testing
@testable import MilterClient

/// SMFIR_REPLYCODE and the other verdicts.
@Suite struct ReplyTests {
    private func answer(_ text: String) throws -> FilterAnswer { try MilterStatements.answer(.replyCode(text)) }

    static let replies: [(String, Int, String?, [String])] = [
        ("550 5.7.9 no, not you", 550, "5.7.9", ["no, not you"]),
        ("451 4.3.2 later", 451, "4.3.2", ["later"]),
        // libmilter's smfi_setreply without an enhanced code.
        ("554 no", 554, nil, ["no"]),
        ("450 later", 450, nil, ["later"]),
        // Of another class: text (RFC 3463 §2, RFC 2034 §4).
        ("550 4.1.1 odd", 550, nil, ["4.1.1 odd"]),
        ("550-5.7.1 first\r\n550 5.7.1 second", 550, "5.7.1", ["first", "second"]),
        ("550-5.7.1 first\r\n550-5.7.1 \r\n550 5.7.1 third", 550, "5.7.1", ["first", "", "third"]),
        // Sendmail takes it for a format string.
        ("554 5.7.9 100%% sure %d", 554, "5.7.9", ["100% sure d"]),
        ("554 5.7.9 %%%%", 554, "5.7.9", ["%%"]),
        ("550", 550, nil, [""]),
    ]

    @Test(arguments: replies) func reply(_ text: String, _ code: Int, _ enhanced: String?, _ lines: [String]) throws {
        let reply = SMTPReply(code, enhanced, lines: lines)
        #expect(try answer(text) == (code < 500 ? .tempfail(reply) : .reject(reply)))
    }

    @Test(arguments: ["", "250 2.0.0 ok", "354 go", "55 x", "abc", "+55 x", "6000", "550x", "550-5.7.1 a\r\n450 4.7.1 b", "550 a\nb"]) func noReply(_ text: String) {
        #expect(throws: MilterClientError.self) { try answer(text) }
    }

    @Test func controlsDoNotReachTheClient() throws {
        guard case .reject(let reply) = try answer("550 5.7.1 a\u{1}b") else {
            Issue.record("not refused")
            return
        }
        #expect(reply.lines == ["a?b"])
    }

    static let verdicts: [(UInt8, FilterAnswer)] = [
        (0x72, .reject(SMTPReply(550, "5.7.1", "Command rejected"))), (0x74, .tempfail(SMTPReply(451, "4.7.1", "Service unavailable - try again later"))),
        (0x64, .discard), (0x61, .accept), (0x63, .continue), (0x34, .tempfail(SMTPReply(421, "4.7.0", "Service unavailable - try again later"))),
    ]

    @Test(arguments: verdicts) func verdict(_ code: UInt8, _ answer: FilterAnswer) throws {
        let packet = try #require(MilterReplyPacket(code: code, data: []))
        #expect(try MilterStatements.answer(packet) == answer)
    }

    @Test func overTheWire() async throws {
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(), ["R": [.say("y", "550-5.1.1 who\r\n550 5.1.1 is that?")]])) { milter in
            #expect(await Bench(milter).message().answer == .reject(SMTPReply(550, "5.1.1", lines: ["who", "is that?"])))
        }
    }

    @Test(arguments: [
        ("inet:localhost:11332", MilterAddress.inet(host: "localhost", port: 11332)), ("inet:11332@localhost", .inet(host: "localhost", port: 11332)),
        ("inet:[::1]:8891", .inet(host: "::1", port: 8891)), ("inet6:8891@[::1]", .inet(host: "::1", port: 8891)), ("unix:/run/m.sock", .unix(path: "/run/m.sock")), ("local:/run/m.sock", .unix(path: "/run/m.sock")),
    ]) func addresses(_ text: String, _ address: MilterAddress) {
        #expect(MilterAddress(text) == address)
        #expect(MilterAddress(address.description) == address)
    }

    @Test(arguments: ["", "inet:", "inet:localhost", "inet:localhost:0", "inet:localhost:65536", "inet::25", "unix:run/m.sock", "unix:", "localhost:25", "unix:/" + String(repeating: "x", count: 120)])
    func noAddress(_ text: String) { #expect(MilterAddress(text) == nil) }
}
