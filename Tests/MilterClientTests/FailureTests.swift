import InternetMessage
import Milter
import NIOCore
import Testing
@testable import MilterClient

/// A milter that dies, babbles or is silent: the default action within the time-out, logged once.
@Suite struct FailureTests {
    static let unavailable = FilterAnswer.reject(SMTPReply(550, "5.5.0", "Service unavailable"))

    private static let babble: [Reaction] = [
        .say("Z"), .raw([0, 0, 0, 0]), .raw([0xff, 0xff, 0xff, 0xff, 0x63]), .raw([0, 0x10, 0, 1, 0x63]), .say("h", "X-A", "1"), .say("b", [1]), .say("q", "odd"), .say("O", [0, 0, 0, 6]),
        .say("y", "250 ok"), .say("f"), .say("m", [0, 0]), .hangUp,
    ]

    @Test(arguments: babble.indices, ["C", "H", "M", "R", "T", "L", "N", "B"] as [Character]) func babbleAtAnyStage(_ index: Int, _ stage: Character) async throws {
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(), [stage: [Self.babble[index]]])) { milter in
            let bench = Bench(milter) { $0.defaultAction = .reject }
            #expect(await bench.message().answer == Self.unavailable)
            #expect(bench.log.all == ["error: milter does not work: milter_default_action applies"])
            #expect(milter.codes.last { $0 != "D" } == stage)
        }
    }

    private static let atTheEnd: [[Reaction]] = [
        [.say("h", "X-A", "1"), .hangUp], [.say("h", "X-A", "1"), .say("Z")], [.say("h", "", "1"), .say("c")], [.say("h", "a b", "1"), .say("c")], [.say("m", index: 1, "", "1"), .say("c")],
        [.say("+", "no address <"), .say("c")], [.say("-", ""), .say("c")], [.say("e", "@"), .say("c")], [.say("h", "X-A", "1"), .say("O", [0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0])], [.say("i", [0]), .say("c")],
    ]

    /// Changes of a milter that does not come to its end are not made by half.
    @Test(arguments: atTheEnd.indices) func atTheEndOfTheMessage(_ index: Int) async throws {
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(), ["E": Self.atTheEnd[index]])) { milter in
            let bench = Bench(milter) { $0.defaultAction = .accept }
            let (answer, transaction) = await bench.message()
            #expect(answer == .continue)
            #expect(transaction.modifications.isEmpty)
            #expect(bench.log.all.count == 1)
        }
    }

    @Test(arguments: ["C", "H"] as [Character]) func thereIsNothingToDiscard(_ stage: Character) async throws {
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(), [stage: [.say("d")]])) { milter in
            #expect(await Bench(milter).message().answer == .tempfail)
        }
    }

    static let actions: [(MilterClientConfiguration.DefaultAction, FilterAnswer)] = [(.accept, .continue), (.reject, unavailable), (.tempfail, .tempfail), (.quarantine, .continue)]

    @Test(arguments: actions) func nobodyListens(_ action: MilterClientConfiguration.DefaultAction, _ expected: FilterAnswer) async throws {
        // A port that was free a moment ago.
        let port = try await ScriptedMilter.with({ _ in [] }) { $0.port }
        let bench = Bench(.inet(host: "127.0.0.1", port: port)) { $0.defaultAction = action }
        for _ in 0..<3 {
            let (answer, transaction) = await bench.message()
            #expect(answer == expected)
            #expect((transaction.quarantineReason != nil) == (action == .quarantine))
        }
        #expect(bench.log.all.count == 1)
    }

    /// In the middle of a message: the same, and its changes are not made by half.
    @Test(arguments: actions, ["M", "B", "E"] as [Character]) func dies(_ action: (MilterClientConfiguration.DefaultAction, FilterAnswer), _ stage: Character) async throws {
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(), [stage: [.hangUp]])) { milter in
            let bench = Bench(milter) { $0.defaultAction = action.0 }
            for _ in 0..<2 {
                let (answer, transaction) = await bench.message()
                #expect(answer == action.1)
                #expect((transaction.quarantineReason != nil) == (action.0 == .quarantine))
            }
            #expect(bench.log.all.count == 1)
        }
    }

    @Test func noSuchSocket() async {
        let bench = Bench(.unix(path: "/nonexistent/milter.sock"))
        #expect(await bench.message().answer == .tempfail)
    }

    /// Once it has failed it is not asked again on that connection, and the next one tries anew.
    @Test func diesInMidMessageAndIsThereForTheNextConnection() async throws {
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(), ["B": [.hangUp]])) { milter in
            let bench = Bench(milter)
            var session = bench.session(), transaction = Bench.transaction()
            #expect(await bench.run(&session, &transaction) == .tempfail)
            #expect(await bench.run(&session, &transaction, opens: false) == .tempfail)
            await session.close()
            #expect(milter.connections == 1)
            #expect(await bench.message().answer == .tempfail)
            #expect(milter.connections == 2)
            // That it takes connections is no recovery.
            #expect(bench.log.all.count == 1)
        }
    }

    @Test func recoveryIsLoggedOnce() {
        let log = LogLines()
        let health = MilterHealth(name: "m", logger: log.logger)
        health.worked(at: .message)
        health.failed(MilterClientError.closed, at: .negotiation, .accept)
        health.failed(MilterClientError.closed, at: .message, .accept)
        health.worked(at: .negotiation)
        #expect(log.all.count == 1)
        health.worked(at: .message)
        health.worked(at: .message)
        #expect(log.all.last == "notice: milter works again")
        #expect(log.all.count == 2)
        health.failed(MilterClientError.closed, at: .negotiation, .accept)
        health.worked(at: .negotiation)
        #expect(log.all.count == 4)
    }

    // MARK: Time

    @Test(arguments: ["O", "C", "H", "M", "R", "T"] as [Character]) func silentToACommand(_ stage: Character) async throws {
        let script: ScriptedMilter.Script = { $0.code == stage ? [] : ScriptedMilter.script()($0) }
        try await ScriptedMilter.with(script) { milter in
            #expect(await Bench(milter) { $0.commandTimeout = .seconds(6) }.message().answer == .tempfail)
            #expect(milter.codes.last { $0 != "D" } == stage)
        }
    }

    @Test(arguments: ["L", "N", "B", "E"] as [Character]) func silentToContent(_ stage: Character) async throws {
        let script: ScriptedMilter.Script = { $0.code == stage ? [] : ScriptedMilter.script()($0) }
        try await ScriptedMilter.with(script) { milter in
            #expect(await Bench(milter) { $0.contentTimeout = .seconds(6) }.message().answer == .tempfail)
            #expect(milter.codes.last { $0 != "D" } == stage)
        }
    }

    /// Each packet of progress starts the wait anew: together they last longer than the time-out.
    @Test func progressProlongsTheWait() async throws {
        let answers = (1...4).map { Reaction.later(.milliseconds(Int64($0) * 700), .say($0 < 4 ? "p" : "c")) }
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(), ["E": answers])) { milter in
            #expect(await Bench(milter) { $0.contentTimeout = .milliseconds(2000) }.message().answer == .continue)
        }
    }

    /// But not for ever.
    @Test func endlessProgress() async throws {
        let answers = (0..<400).map { Reaction.later(.milliseconds(Int64($0) * 5), .say("p")) }
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(), ["M": answers])) { milter in
            #expect(await Bench(milter) { $0.commandTimeout = .milliseconds(150) }.message().answer == .tempfail)
            #expect(!milter.codes.contains("R"))
        }
    }

    /// Sending has its deadline too.
    @Test func neverReads() async throws {
        try await ScriptedMilter.with(reads: false, { _ in [] }) { milter in
            let link = try await MilterConnection.open(MilterClientConfiguration(address: .inet(host: "127.0.0.1", port: milter.port), hostname: "x"), group: .singletonMultiThreadedEventLoopGroup)
            await #expect(throws: MilterClientError.timedOut("sending")) {
                while true { try await link.send([[UInt8](repeating: 0, count: 1 << 20)], within: .milliseconds(100)) }
            }
        }
    }
}
