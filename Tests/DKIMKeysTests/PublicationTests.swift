import DKIM
import DNS
import NameServers
import NetworkAddress
import PosternTesting
import Testing
@testable import DKIMKeys

struct PublicationTests {
    static let key = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    static let other = "v=DKIM1; k=ed25519; p=yi50DjK5O9pqbFpNHklsv9lqaS0ArSYu02qp1S0DW1Y="
    let place = name("one._domainkey.example.org")

    private func run(_ answers: [String: NameServerAnswer], delegation: String = Workshop.delegation) async throws -> Publication {
        let servers = try ZoneServersFake([:], fixed: answers)
        return await PublicationCheck(resolver: try ZoneResolver(delegation), nameServers: servers).run(Self.key, at: place)
    }

    private func txt(_ texts: String...) throws -> NameServerAnswer {
        .records(try texts.flatMap { try ZoneText.parse(ZoneLine.txt($0, at: place)).map(\.rdata) })
    }

    @Test func publishedMeansEveryServer() async throws {
        let both = try await run(["192.0.2.1": txt(Self.key), "192.0.2.2": txt(Self.key)])
        #expect(both.verdict == .published)
        #expect(both.zone == "example.org")
        #expect(both.findings.map(\.source) == ["ns1.example.org", "ns2.example.net"])
    }

    @Test func oneSilentServerLeavesItOpen() async throws {
        let one = try await run(["192.0.2.1": txt(Self.key)])
        #expect(one.verdict == .unknown)
        #expect(one.findings.map(\.verdict) == [.published, .unknown])
    }

    @Test(arguments: [NameServerAnswer.failure("SERVFAIL"), .failure("answers without authority for the zone")])
    func aServerThatFailsLeavesItOpen(answer: NameServerAnswer) async throws {
        #expect(try await run(["192.0.2.1": txt(Self.key), "192.0.2.2": answer]).verdict == .unknown)
    }

    @Test func theWorstWordCounts() async throws {
        #expect(try await run(["192.0.2.1": .nameError, "192.0.2.2": txt(Self.other)]).verdict == .wrong)
        #expect(try await run(["192.0.2.1": .failure("SERVFAIL"), "192.0.2.2": .noData]).verdict == .missing)
    }

    // RFC 6376 §3.6.1 and §3.6.2.2; h= and s= may forbid what we sign with.
    @Test(arguments: [
        (other, "another key"), ("v=DKIM1; k=ed25519; p=", "revoked"), (key + "; s=tlsrpt", "s= forbids"), (key + "; h=sha1", "h= forbids"),
        ("v=spf1 -all", "key record"), ("v=DKIM1; p=garbage!", "p= is"),
    ])
    func recordsThatVerifiersWouldNotUseAreWrong(text: String, words: String) async throws {
        let result = try await run(["192.0.2.1": txt(text), "192.0.2.2": txt(Self.key)])
        #expect(result.verdict == .wrong)
        #expect(result.findings[0].detail.contains(words))
    }

    @Test func twoRecordsAreWrong() async throws {
        #expect(try await run(["192.0.2.1": txt(Self.key, Self.other), "192.0.2.2": txt(Self.key)]).verdict == .wrong)
    }

    @Test func otherTagsAndFlagsAreTheOperatorsBusiness() async throws {
        let text = Self.key + "; t=y:s; n=note; s=email; h=sha256"
        #expect(try await run(["192.0.2.1": txt(text), "192.0.2.2": txt(Self.key)]).verdict == .published)
    }

    @Test func withoutReachableServersTheResolverIsAsked() async throws {
        let zone = Workshop.delegation + "\n" + ZoneLine.txt(Self.key, at: place)
        let seen = try await run([:], delegation: zone)
        #expect(seen.verdict == .published)
        #expect(seen.zone == nil)
        #expect(seen.findings.map(\.source) == ["resolver"])
        #expect(seen.findings[0].detail.contains("no name server of example.org can be reached"))
        #expect(try await run([:]).verdict == .missing)
    }

    @Test func noServersAtAllMeansTheResolverAlone() async throws {
        let resolver = try ZoneResolver(ZoneLine.txt(Self.key, at: place))
        #expect(await PublicationCheck(resolver: resolver, nameServers: nil).run(Self.key, at: place).verdict == .published)
        let failing = try ZoneResolver("", failing: ["one._domainkey.example.org"])
        #expect(await PublicationCheck(resolver: failing, nameServers: nil).run(Self.key, at: place).verdict == .unknown)
    }

    @Test func theZoneMayBeginBelowTheDomain() async throws {
        let zone = Workshop.delegation + "\n_domainkey.example.org. NS ns.host.example.\nns.host.example. A 192.0.2.9"
        let result = try await run(["192.0.2.9": txt(Self.key)], delegation: zone)
        #expect(result.zone == "_domainkey.example.org")
        #expect(result.verdict == .published)
    }

    @Test func aliasesAreFollowedToTheServersOfTheirTarget() async throws {
        let zone = Workshop.delegation + "\nhost.example. NS ns.host.example.\nns.host.example. A 192.0.2.9"
        let alias = NameServerAnswer.alias(name("one.host.example"))
        #expect(try await run(["192.0.2.1": alias, "192.0.2.2": alias, "192.0.2.9": txt(Self.key)], delegation: zone).verdict == .published)
        let stale = try await run(["192.0.2.1": alias, "192.0.2.2": alias, "192.0.2.9": txt(Self.other)], delegation: zone)
        #expect(stale.verdict == .wrong)
        // An alias that leads to itself ends.
        let circle = NameServerAnswer.alias(place)
        #expect(try await run(["192.0.2.1": circle, "192.0.2.2": circle]).verdict == .wrong)
    }

    @Test func severalAddressesOfOneServer() async throws {
        let zone = "example.org. NS ns1.example.org.\nns1.example.org. A 192.0.2.1\nns1.example.org. AAAA 2001:db8::1"
        // No IPv6 here: the address that answers speaks for the server.
        #expect(try await run(["192.0.2.1": txt(Self.key)], delegation: zone).verdict == .published)
        #expect(try await run(["192.0.2.1": txt(Self.key), "2001:db8::1": .nameError], delegation: zone).verdict == .missing)
    }

    @Test func longRecordsAreSplitIntoStringsOf255Octets() throws {
        let text = "v=DKIM1; k=rsa; p=" + String(repeating: "A", count: 392)
        let line = ZoneLine.txt(text, at: place)
        let strings = line.split(separator: "\"", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map(\.element.count)
        #expect(strings == [255, 155])
        let record = try #require(try ZoneText.parse(line).first)
        #expect(record.name == place)
        #expect(TXTRecord(rdata: record.rdata)?.joined == Array(text.utf8))
    }
}
