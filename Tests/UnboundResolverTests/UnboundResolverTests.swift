import DNS
import NetworkAddress
import Testing
import UnboundResolver

@Suite struct UnboundResolverTests {
    static let zone = """
        shop.example. 60 A 192.0.2.7
        shop.example. TXT "v=spf1 " "-all"
        deep.under.shop.example. A 192.0.2.8
        www.shop.example. CNAME shop.example.
        round.shop.example. CNAME about.shop.example.
        about.shop.example. CNAME round.shop.example.
        mail.test. A 192.0.2.9
        """

    func withResolver(_ body: (UnboundResolver) async throws -> Void) async throws {
        let resolver = try UnboundResolver(configuration: UnboundConfiguration(localData: try ZoneText.parse(Self.zone), offline: true))
        try await body(resolver)
        resolver.close()
    }

    func name(_ text: String) throws -> DomainName { try #require(DomainName(text)) }

    @Test func recordsComeBackDecoded() async throws {
        try await withResolver { resolver in
            let answer = await resolver.lookup(ARecord.self, at: try name("shop.example"))
            #expect(answer.records.map(\.address.description) == ["192.0.2.7"])
            let text = await resolver.lookup(TXTRecord.self, at: try name("SHOP.example."))
            #expect(text.records.map(\.joined) == [Array("v=spf1 -all".utf8)])
        }
    }

    @Test func aMissingTypeIsNoDataAndAMissingNameANameError() async throws {
        try await withResolver { resolver in
            let noType = await resolver.resolve(DNSQuestion(try name("shop.example"), .mx))
            #expect(noType.outcome == .noData)
            let emptyNonTerminal = await resolver.resolve(DNSQuestion(try name("under.shop.example"), .a))
            #expect(emptyNonTerminal.outcome == .noData)
            let missing = await resolver.resolve(DNSQuestion(try name("nobody.example"), .a))
            #expect(missing.outcome == .nameError)
        }
    }

    @Test func localAliasesAreFollowedAndCirclesEnd() async throws {
        try await withResolver { resolver in
            let alias = await resolver.lookup(ARecord.self, at: try name("www.shop.example"))
            #expect(alias.records.map(\.address.description) == ["192.0.2.7"])
            #expect(alias.canonicalName?.text == "shop.example")
            let circle = await resolver.lookup(ARecord.self, at: try name("round.shop.example"))
            #expect(circle.failure?.contains("circle") == true)
        }
    }

    @Test func namesThatUnboundReservesCanBeServed() async throws {
        try await withResolver { resolver in
            let answer = await resolver.lookup(ARecord.self, at: try name("mail.test"))
            #expect(answer.records.count == 1)
        }
    }

    /// SPF macros make such names of what a client says.
    @Test func unusualOctetsInNames() async throws {
        let zone = #"a\032b\;c\\d\$.odd.example. A 192.0.2.10"#
        let resolver = try UnboundResolver(configuration: UnboundConfiguration(localData: try ZoneText.parse(zone), offline: true))
        defer { resolver.close() }
        let odd = try #require(DomainName(queryName: #"a b;c\d$.odd.example"#))
        #expect(await resolver.lookup(ARecord.self, at: odd).records.count == 1)
        for text in [#"a\.odd.example"#, #"a\300.odd.example"#, #"\097.odd.example"#, "a\u{1}.odd.example"] {
            let name = try #require(DomainName(queryName: text))
            #expect(await resolver.resolve(DNSQuestion(name, .a)).outcome == .nameError, "\(text)")
        }
    }

    /// With a server that never answers upstream, an answer can only come from the zone itself.
    @Test func aZoneWithASOAIsAnsweredWholly() async throws {
        let silent = try SilentServer()
        let zone = "shop.example. SOA ns.shop.example. host.shop.example. 1 2 3 4 5\nwww.shop.example. A 192.0.2.1\nx.test. SOA a. b. 1 2 3 4 5"
        let resolver = try UnboundResolver(configuration: UnboundConfiguration(
            forwarders: ["127.0.0.1@\(silent.port)"], localData: try ZoneText.parse(zone), timeout: .milliseconds(600)))
        defer { resolver.close() }
        #expect(await resolver.resolve(DNSQuestion(try name("nobody.shop.example"), .a)).outcome == .nameError)
        #expect(await resolver.resolve(DNSQuestion(try name("www.shop.example"), .mx)).outcome == .noData)
        #expect(await resolver.resolve(DNSQuestion(try name("_dmarc.x.test"), .txt)).outcome == .nameError)
        #expect(await resolver.lookup(ARecord.self, at: try name("www.shop.example")).records.count == 1)
        guard case .temporaryFailure = await resolver.resolve(DNSQuestion(try name("example"), .a)).outcome else {
            Issue.record("the zone above was answered too")
            return
        }
    }

    @Test func manyQuestionsAtOnceAreAllAnswered() async throws {
        try await withResolver { resolver in
            let question = DNSQuestion(try name("shop.example"), .a)
            let answered = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<2000 { group.addTask { if case .records = await resolver.resolve(question).outcome { true } else { false } } }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(answered == 2000)
        }
    }

    @Test func aSilentServerCostsNoMoreThanTheDeadline() async throws {
        let silent = try SilentServer()
        let resolver = try UnboundResolver(configuration: UnboundConfiguration(
            forwarders: ["127.0.0.1@\(silent.port)"], timeout: .milliseconds(600)))
        let answer = await resolver.resolve(DNSQuestion(try name("shop.example"), .a))
        guard case .temporaryFailure(let why) = answer.outcome else { Issue.record("answered \(answer.outcome)"); return }
        // Our deadline's words: libunbound itself waits 17 seconds and then says SERVFAIL.
        #expect(why == "timed out after 0.6 seconds")
        resolver.close()
    }

    /// The asker is let go at once, not at the deadline of ten minutes, and closing still cleans up.
    @Test func cancelledQuestionsEndAtOnce() async throws {
        let silent = try SilentServer()
        let resolver = try UnboundResolver(configuration: UnboundConfiguration(forwarders: ["127.0.0.1@\(silent.port)"], timeout: .seconds(600)))
        let question = DNSQuestion(try name("shop.example"), .a)
        let asking = (0..<50).map { _ in Task { await resolver.resolve(question) } }
        for task in asking { task.cancel() }
        for task in asking { #expect(await task.value.outcome == .temporaryFailure("the question was cancelled")) }
        let pending = Task { await resolver.resolve(question) }
        while !silent.wasAsked { await Task.yield() }
        pending.cancel()
        #expect(await pending.value.outcome == .temporaryFailure("the question was cancelled"))
        resolver.close()
    }

    @Test func afterClosingQuestionsFailAtOnce() async throws {
        let resolver = try UnboundResolver(configuration: UnboundConfiguration(offline: true))
        resolver.close()
        let answer = await resolver.resolve(DNSQuestion(try name("shop.example"), .a))
        #expect(answer.outcome == .temporaryFailure("the resolver is closed"))
    }
}
