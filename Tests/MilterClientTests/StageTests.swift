import InternetMessage
import Milter
import NetworkAddress
import Testing
@testable import MilterClient

/// What a milter is told, stage by stage.
@Suite struct StageTests {
    @Test func aWholeMessage() async throws {
        try await ScriptedMilter.with(ScriptedMilter.script()) { milter in
            #expect(await Bench(milter).message().answer == .continue)
            #expect(milter.codes.hasPrefix("ODCDHDMDRDTLLLLDNBDE"))
            #expect(milter.last("C")?.data == Array("client.example\0".utf8) + [0x34, 0x12, 0x67] + Array("192.0.2.7\0".utf8))
            #expect(milter.last("H")?.texts == ["client.example"])
            #expect(milter.last("M")?.texts == ["<s@a.example>", "BODY=8BITMIME", "SIZE=100"])
            #expect(milter.last("R")?.texts == ["<r@home.example>", "NOTIFY=NEVER"])
            // Our own Received is not shown; folding with LF; the blank after the colon is eaten.
            #expect(milter.packets.filter { $0.code == "L" }.map(\.texts) == [["Received", "from theirs"], ["Subject", "one\n folded"], ["Dup", "1"], ["Dup", "2"]])
            #expect(milter.last("B")?.data == Array("body\r\n".utf8))
        }
    }

    @Test(arguments: [("2001:db8::1", UInt8(0x36)), ("192.0.2.1", UInt8(0x34))]) func addresses(_ text: String, _ family: UInt8) async throws {
        var facts = Bench.facts
        facts.clientAddress = IPAddress(text)
        facts.clientName = nil
        let packet = MilterStatements.connect(facts)
        #expect(packet.dropFirst(5) == (Array("[\(text)]\0".utf8) + [family, 0x12, 0x67] + Array("\(text)\0".utf8))[...])
    }

    /// As Postfix's cleanup(8) says it, so that a milter's rules for own mail fit.
    @Test func mailMadeHereComesFromLoopback() {
        let expected: [UInt8] = Array("localhost\u{0}4\u{0}\u{0}127.0.0.1\u{0}".utf8)
        #expect(Array(MilterStatements.connect(ConnectionFacts(listener: "local")).dropFirst(5)) == expected)
    }

    @Test func aClientOnAUnixSocketHasNoAddress() {
        #expect(MilterStatements.connect(ConnectionFacts(listener: "lmtp")).dropFirst(5) == Array("localhost\0U".utf8)[...])
    }

    // MARK: Unknown commands (SMFIC_UNKNOWN)

    private func unknown(_ script: @escaping ScriptedMilter.Script, version: UInt32 = 6) async throws -> (FilterAnswer, String?, String) {
        try await ScriptedMilter.with(script) { milter in
            let bench = Bench(milter) { $0.maximumVersion = version }
            var session = bench.session(), transaction = Bench.transaction()
            _ = await session.connect(Bench.facts)
            let answer = await session.unknownCommand("FOO bar").answer
            // It concerns nothing else.
            #expect(await bench.run(&session, &transaction, opens: false) == .continue)
            await session.close()
            return (answer, milter.last("U")?.texts.first, String(milter.codes.filter { $0 != "D" }.prefix(4)))
        }
    }

    @Test func anUnknownCommand() async throws {
        let (answer, said, codes) = try await unknown(ScriptedMilter.script(.negotiate(), ["U": [.say("c")]]))
        #expect(answer == .continue && said == "FOO bar" && codes == "OCUM")
    }

    @Test func anUnknownCommandsReply() async throws {
        let answer = try await unknown(ScriptedMilter.script(.negotiate(), ["U": [.say("y", "550 5.5.1 not here")]])).0
        #expect(answer == .reject(SMTPReply(550, "5.5.1", "not here")))
    }

    @Test(arguments: ["a", "d"] as [Character]) func otherAnswersSayNothingOfIt(_ code: Character) async throws {
        #expect(try await unknown(ScriptedMilter.script(.negotiate(), ["U": [.say(code)]])).0 == .continue)
    }

    /// SMFIP_NOUNKNOWN, SMFIP_NR_UNKN, and version 2, which has no such command.
    @Test(arguments: [(UInt32(0x100), UInt32(6), false), (0x20000, 6, true), (0, 2, false), (0, 3, true)]) func notSentOrNotAnswered(_ flags: UInt32, _ version: UInt32, _ sent: Bool) async throws {
        let script = ScriptedMilter.script(.negotiate(version, actions: 0x3f, flags: flags), ["U": flags == 0x20000 ? [] : [.say("c")]])
        let (answer, said, _) = try await unknown(script, version: version)
        #expect(answer == .continue && (said != nil) == sent)
    }

    @Test func theNullSender() {
        #expect(MilterStatements.mail(EnvelopeSender(nil)).dropFirst(5) == Array("<>\0".utf8)[...])
    }

    @Test func leadingSpaceIsKeptForThoseWhoAsk() async throws {
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(flags: 0x100000))) { milter in
            _ = await Bench(milter).message("Received: ours\r\nA: x\r\nB:y\r\nC:\tz\r\n\r\n")
            #expect(milter.packets.filter { $0.code == "L" }.map(\.texts) == [["A", " x"], ["B", "y"], ["C", "\tz"]])
        }
    }

    @Test func whatIsNotWantedIsNotSentButItsMacrosAre() async throws {
        // No connect, HELO, MAIL, RCPT, body, headers, end of headers, DATA.
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(flags: 0x27f))) { milter in
            #expect(await Bench(milter).message().answer == .continue)
            #expect(milter.codes.filter { $0 != "D" }.hasPrefix("OE"))
            #expect(milter.macros(for: "M")?["{auth_authen}"] == "alice")
            #expect(milter.macros(for: "C")?["j"] == "mail.home.example")
        }
    }

    @Test func answersThatDoNotComeAreNotAwaited() async throws {
        // All SMFIP_NR_*, no header reply: the milter says nothing before the end.
        let silent = "CHMRTLNB".reduce(into: [Character: [Reaction]]()) { $0[$1] = [] }
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(flags: 0xdf080), silent)) { milter in
            #expect(await Bench(milter).message().answer == .continue)
            #expect(milter.codes.filter { $0 != "D" }.hasPrefix("OCHMRTLLLLNBE"))
        }
    }

    @Test func aLargeBodyGoesInPieces() async throws {
        try await ScriptedMilter.with(ScriptedMilter.script()) { milter in
            let body = String(repeating: "0123456789abcdef0123456789abcdef\r\n", count: 5_000)
            _ = await Bench(milter).message("A: b\r\n\r\n" + body)
            let pieces = milter.packets.filter { $0.code == "B" }.map(\.data)
            #expect(pieces.map(\.count) == [65535, 65535, 38930])
            #expect(pieces.flatMap { $0 } == Array(body.utf8))
        }
    }

    @Test func skipEndsTheBody() async throws {
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(flags: 0x400), ["B": [.say("s")]])) { milter in
            #expect(await Bench(milter).message("A: b\r\n\r\n" + String(repeating: "x\r\n", count: 100_000)).answer == .continue)
            #expect(milter.packets.filter { $0.code == "B" }.count == 1)
            #expect(milter.codes.contains("E"))
        }
    }

    @Test func acceptEndsTheMessageButNotTheConnection() async throws {
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(), ["M": [.say("a")]])) { milter in
            let bench = Bench(milter)
            var session = bench.session(), transaction = Bench.transaction()
            #expect(await bench.run(&session, &transaction) == .continue)
            #expect(await bench.run(&session, &transaction, opens: false) == .continue)
            await session.close()
            // The milter is told that the first message is over before the second begins.
            #expect(milter.codes.filter { $0 != "D" }.hasPrefix("OCHMAM"))
        }
    }

    @Test func severalMessagesAndAnAbort() async throws {
        try await ScriptedMilter.with(ScriptedMilter.script()) { milter in
            let bench = Bench(milter)
            var session = bench.session(), transaction = Bench.transaction()
            #expect(await bench.run(&session, &transaction) == .continue)
            var second = Bench.transaction()
            _ = await session.mail(&second)
            await session.abort()
            await session.abort()
            var third = Bench.transaction()
            #expect(await bench.run(&session, &third, opens: false) == .continue)
            await session.close()
            #expect(milter.codes.filter { $0 != "D" }.hasPrefix("OCHMRTLLLLNBEMAMRTLLLLNBE"))
            #expect(milter.connections == 1)
        }
    }

    /// A refusal before the end leaves the milter in mid-message: it must hear ABORT.
    @Test(arguments: ["L", "N", "B"] as [Character]) func refusedInMidMessage(_ at: Character) async throws {
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(), [at: [.say("r")]])) { milter in
            let bench = Bench(milter)
            var session = bench.session(), transaction = Bench.transaction()
            #expect(await bench.run(&session, &transaction) == .reject)
            _ = await session.mail(&transaction)
            await session.close()
            #expect(milter.codes.filter { $0 != "D" }.hasSuffix("\(at)AM") || milter.codes.filter { $0 != "D" }.hasSuffix("\(at)AMQ"))
        }
    }

    @Test func aRefusalAtHelloStands() async throws {
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(), ["H": [.say("r")]])) { milter in
            let bench = Bench(milter)
            var session = bench.session(), transaction = Bench.transaction()
            _ = await session.connect(Bench.facts)
            #expect(await session.helo("x", Bench.facts).answer == .reject)
            #expect(await session.mail(&transaction).answer == .reject)
            #expect(!milter.codes.contains("M"))
        }
    }

    @Test func oneRecipientRefused() async throws {
        let script: ScriptedMilter.Script = { packet in
            packet.code == "R" && packet.texts.first == "<no@home.example>" ? [.say("t")] : ScriptedMilter.script()(packet)
        }
        try await ScriptedMilter.with(script) { milter in
            var session = Bench(milter).session(), transaction = Bench.transaction()
            _ = await session.connect(Bench.facts)
            _ = await session.mail(&transaction)
            #expect(await session.rcpt(EnvelopeRecipient(Bench.address("no@home.example")), &transaction).answer == .tempfail)
            #expect(await session.rcpt(EnvelopeRecipient(Bench.address("yes@home.example")), &transaction).answer == .continue)
            #expect(await session.endOfMessage(&transaction).answer == .continue)
        }
    }
}
