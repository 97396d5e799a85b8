import DNS
import NetworkAddress
import Policy
@testable import PolicySources
import PosternTesting
import Testing

/// RFC 5782, and what lists do beyond it.
@Suite struct BlocklistLookupTests {
    private func set(_ lists: [(String, Int, [ClosedRange<UInt32>])]) throws -> BlocklistSet {
        BlocklistSet(name: "spam", lists: try lists.map { .init(zone: try #require(DomainName($0.0)), weight: $0.1, answers: $0.2) })
    }

    private func ip(_ text: String) throws -> PolicyValue { .ip(try #require(IPAddress(text))) }
    private static let low: UInt32 = 0x7f00_0000

    @Test func weightsAddUp() async throws {
        let dns = try ZoneResolver("""
            2.2.0.192.zen.example. A 127.0.0.4
            2.2.0.192.bl.example. A 127.0.0.2
            2.2.0.192.white.example. A 127.0.5.1
            """)
        let lists = try set([("zen.example", 3, [Self.low + 2...Self.low + 11]), ("bl.example", 2, []), ("white.example", -1, []), ("none.example", 7, [])])
        let answer = await BlocklistLookup(resolver: dns).ask(lists, about: try ip("192.0.2.2"))
        #expect(answer.value == .number(4))
        #expect(answer.remarks == ["zen.example 127.0.0.4", "bl.example 127.0.0.2", "white.example 127.0.5.1"])
    }

    /// Only the answers asked for, only 127/8, and not what says 'you may not ask'.
    @Test(arguments: [("127.0.0.10", 0), ("127.0.0.2", 3), ("127.0.0.4", 3), ("127.0.0.5", 0), ("203.0.113.9", 0), ("127.255.255.254", 0), ("127.0.0.1", 0)])
    func answersThatCount(_ address: String, _ weight: Int) async throws {
        let dns = try ZoneResolver("2.2.0.192.zen.example. A \(address)\n")
        let lists = try set([("zen.example", 3, [Self.low + 2...Self.low + 4])])
        #expect(await BlocklistLookup(resolver: dns).ask(lists, about: try ip("192.0.2.2")).value == .number(weight))
    }

    @Test func aRefusalIsNoListingWhateverIsAskedFor() async throws {
        let dns = try ZoneResolver("2.2.0.192.zen.example. A 127.255.255.254\n")
        let answer = await BlocklistLookup(resolver: dns).ask(try set([("zen.example", 3, [])]), about: try ip("192.0.2.2"))
        #expect(answer.value == .number(0) && answer.remarks == ["zen.example refuses our questions (127.255.255.254)"])
    }

    @Test func questions() throws {
        let zone = try #require(DomainName("bl.example"))
        #expect(BlocklistLookup.question(try ip("192.0.2.1"), zone)?.text == "1.2.0.192.bl.example")
        #expect(BlocklistLookup.question(try ip("::ffff:192.0.2.1"), zone)?.text == "1.2.0.192.bl.example")
        #expect(BlocklistLookup.question(try ip("2001:db8::1"), zone)?.text == "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example")
        #expect(BlocklistLookup.question(.domain(try #require(DomainName("bad.example"))), zone)?.text == "bad.example.bl.example")
        #expect(BlocklistLookup.question(try ip("127.0.0.1"), zone) == nil)
    }

    /// The resolver would wait for ever; the list is asked for as long as a client is kept waiting.
    @Test func aSlowListIsGivenUpBeforeTheResolverGivesUp() async throws {
        let dns = try ZoneResolver("2.2.0.192.bl.example. A 127.0.0.2\n")
        let lookup = BlocklistLookup(resolver: SilentAbout(suffix: "slow.example", inner: dns), patience: .milliseconds(50))
        let answer = await lookup.ask(try set([("slow.example", 9, []), ("bl.example", 2, [])]), about: try ip("192.0.2.2"))
        #expect(answer.value == .number(2))
    }

    @Test func aListThatDoesNotAnswerListsNothingAndIsLeftAlone() async throws {
        let dns = try ZoneResolver("2.2.0.192.bl.example. A 127.0.0.2\n", timeouts: ["2.2.0.192.dead.example"])
        let lookup = BlocklistLookup(resolver: dns)
        let lists = try set([("dead.example", 9, []), ("bl.example", 2, [])])
        for _ in 0..<5 { #expect(await lookup.ask(lists, about: try ip("192.0.2.2")).value == .number(2)) }
        #expect(dns.questions.filter { $0.name.text.hasSuffix("dead.example") }.count == BlocklistLookup.failureLimit)
    }
}

/// Answers nothing about some names until it is cancelled.
private struct SilentAbout: Resolver {
    let suffix: String
    let inner: any Resolver

    func resolve(_ question: DNSQuestion) async -> DNSResponse {
        if question.name.text.hasSuffix(suffix) { try? await Task.sleep(for: .seconds(3600)) }
        return await inner.resolve(question)
    }
}

@Suite struct MailExchangeLookupTests {
    @Test(arguments: [("mx.example", "mx"), ("bare.example", "address"), ("six.example", "address"), ("null.example", "null"), ("txt.example", "none"), ("gone.example", "none")])
    func words(_ domain: String, _ word: String) async throws {
        let dns = try ZoneResolver("""
            mx.example. MX 10 mail.mx.example.
            bare.example. A 192.0.2.1
            six.example. AAAA 2001:db8::1
            null.example. MX 0 .
            txt.example. TXT "x"
            """)
        #expect(await MailExchangeLookup(resolver: dns).ask(try #require(DomainName(domain))).value == .word(word))
    }

    @Test func troubleIsNoAnswer() async throws {
        let dns = try ZoneResolver("", failing: ["slow.example"])
        #expect(await MailExchangeLookup(resolver: dns).ask(try #require(DomainName("slow.example"))).value == nil)
    }
}
