import DNS
import InternetMessage
import NetworkAddress
@testable import SMTPClient
import Testing

@Suite struct RoutingTests {
    static func router(_ zone: [String: [String]], broken: Set<String> = [], _ change: (inout SMTPClientConfiguration) -> Void = { _ in }) -> MailRouter {
        var configuration = SMTPClientConfiguration(heloName: "us.test")
        configuration.shuffle = { $0.sorted { $0.exchange > $1.exchange } }
        change(&configuration)
        return MailRouter(resolver: LiteralResolver(zone, broken: broken), configuration: configuration)
    }

    static func names(_ route: MailRoute) -> [String] { if case .hosts(let hosts) = route { hosts.map(\.name) } else { [] } }

    static func hop(_ text: String) throws -> NextHop { try #require(NextHop(text)) }

    @Test func exchangersByPreferenceEqualOnesShuffled() async throws {
        let router = Self.router(["d.test MX": ["20 c.test", "10 a.test", "10 b.test"]])
        #expect(Self.names(await router.route(try Self.hop("d.test"))) == ["b.test", "a.test", "c.test"])
    }

    @Test func aDomainWithoutMXIsItsOwn() async throws {
        #expect(Self.names(await Self.router(["d.test A": ["192.0.2.1"]]).route(try Self.hop("d.test"))) == ["d.test"])
    }

    @Test func nullMXRefusesForEverAndIsDisregardedAmongOthers() async throws {
        guard case .permanent("5.1.10", _) = await Self.router(["d.test MX": ["0 ."]]).route(try Self.hop("d.test")) else { Issue.record(); return }
        #expect(Self.names(await Self.router(["d.test MX": ["0 .", "5 a.test"]]).route(try Self.hop("d.test"))) == ["a.test"])
    }

    @Test func noDomainIsPermanentAndABrokenServerTemporary() async throws {
        let router = Self.router([:], broken: ["slow.test"])
        guard case .permanent("5.1.2", _) = await router.route(try Self.hop("none.test")) else { Issue.record(); return }
        guard case .temporary("4.4.3", _) = await router.route(try Self.hop("slow.test")) else { Issue.record(); return }
    }

    @Test func onlyHostsPreferredToOurselvesAreTried() async throws {
        let zone = ["d.test MX": ["10 first.test", "20 us.test", "20 peer.test", "30 last.test"], "e.test MX": ["10 us.test", "20 b.test"]]
        let router = Self.router(zone) { $0.ownNames = DomainName("us.test").map { [$0] } ?? [] }
        #expect(Self.names(await router.route(try Self.hop("d.test"))) == ["first.test"])
        guard case .permanent("5.4.6", _) = await router.route(try Self.hop("e.test")) else { Issue.record(); return }
    }

    @Test func addressesOfBothFamiliesInTurn() async throws {
        let zone = ["h.test A": ["192.0.2.1", "192.0.2.2"], "h.test AAAA": ["2001:db8::1"], "f.test A": ["192.0.2.1"], "t.test TXT": []]
        let host = MailHost(place: .name(try #require(DomainName("h.test"))), port: 25, preference: 0)
        func found(_ families: SMTPClientConfiguration.AddressFamilies) async -> [String] {
            guard case .addresses(let all) = await Self.router(zone, { $0.families = families }).addresses(of: host) else { return [] }
            return all.map(\.description)
        }
        #expect(await found(.any) == ["2001:db8::1", "192.0.2.1", "192.0.2.2"])
        #expect(await found(.preferV4) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"])
        #expect(await found(.onlyV4) == ["192.0.2.1", "192.0.2.2"])
        #expect(await found(.onlyV6) == ["2001:db8::1"])
        let missing = MailHost(place: .name(try #require(DomainName("gone.test"))), port: 25, preference: 0)
        #expect(await Self.router(zone).addresses(of: missing) == .none)
        #expect(await Self.router(zone, broken: ["gone.test"]).addresses(of: missing) == .temporary("SERVFAIL"))
    }

    @Test(arguments: [("example.org", "example.org"), ("Example.org:587", "example.org:587"), ("[mx.example.org]", "[mx.example.org]"),
                      ("[mx.example.org]:2525", "[mx.example.org]:2525"), ("[127.0.0.1]:2525", "[127.0.0.1]:2525"), ("127.0.0.1:2525", "[127.0.0.1]:2525"),
                      ("[::1]:26", "[IPv6:::1]:26"), ("[IPv6:::1]", "[IPv6:::1]"), ("192.0.2.1", "[192.0.2.1]")])
    func nextHopsInPostfixNotation(text: String, written: String) throws {
        let hop = try Self.hop(text)
        #expect(hop.description == written)
        #expect(NextHop(written) == hop)
    }

    @Test(arguments: ["", "[mx", "mx]", "a b", "mx:", "mx:0", "mx:70000", "mx:x", "[mx]25", "[]"]) func whatIsNoNextHop(text: String) {
        #expect(NextHop(text) == nil)
    }

    @Test func transportsGoBeforeTheRelayHost() throws {
        var configuration = SMTPClientConfiguration(heloName: "us.test")
        let address = try #require(EmailAddress("a@d.test"))
        #expect(configuration.nextHop(for: address.domain) == .mailExchangers(of: try #require(DomainName("d.test")), port: nil))
        configuration.relayHost = NextHop("[relay.test]:587")
        #expect(configuration.nextHop(for: address.domain) == NextHop("[relay.test]:587"))
        configuration.transports.entries["d.test"] = Transport("smtp:[127.0.0.1]:2525")
        #expect(configuration.nextHop(for: address.domain) == NextHop("[127.0.0.1]:2525"))
        let literal = try #require(EmailAddress("a@[192.0.2.9]"))
        configuration.relayHost = nil
        #expect(configuration.nextHop(for: literal.domain) == NextHop("[192.0.2.9]"))
    }
}
