import DNS
import MTASTS
import NetworkAddress
import NIOPosix
@testable import SMTPClient
import SMTPCore
import Testing

/// What is demanded of a server: RFC 7672 §2.2, RFC 8461 §5, RFC 8689 §4.2.1 and §5.
@Suite struct VerdictTests {
    struct Fixed: STSPolicySource {
        let finding: STSFinding
        func policy(of domain: DomainName) async -> STSFinding { finding }
    }

    static let digest = String(repeating: "ab", count: 32)
    static let zone = ["d.test MX": ["10 mx.d.test"], "mx.d.test A": ["192.0.2.1"], "_25._tcp.mx.d.test TLSA": ["3 1 1 \(digest)"]]

    static func sts(_ mode: STSPolicy.Mode, mx: String = "mx.d.test") -> STSFinding {
        STSFinding(policy: STSPolicy(mode: mode, mx: [mx], maxAge: 1000), text: "version: STSv1\n")
    }

    /// The verdict on the first host of d.test.
    func verdict(_ zone: [String: [String]] = Self.zone, level: TLSLevel = .dane, policy: String? = nil, sts: STSFinding = .nothing, broken: Set<String> = [],
                 requireTLS: Bool = false, header: String = "", secure: @escaping @Sendable (DomainName) -> Bool = { _ in true }) async throws -> DestinationSecurity.Verdict {
        var configuration = SMTPClientConfiguration(heloName: "us.test")
        configuration.tlsLevel = level
        if let policy { configuration.tlsPolicies.entries["d.test"] = TLSPolicy(policy) }
        let client = SMTPClient(resolver: LiteralResolver(zone, broken: broken, secure: secure), group: MultiThreadedEventLoopGroup.singleton,
                                configuration: configuration, sts: Fixed(finding: sts))
        let hop = try #require(NextHop("d.test"))
        guard case .hosts(let hosts) = await client.router.route(hop), let host = hosts.first else { throw Unroutable() }
        let security = await client.security(for: hop, OutgoingSender(nil, requireTLS: requireTLS), OutgoingMessage(Array("\(header)Subject: x\r\n\r\n".utf8)))
        return await security.verdict(on: host, await client.router.lookUp(host))
    }
    struct Unroutable: Error {}

    static func peer(_ verdict: DestinationSecurity.Verdict) -> TLSDemand.Peer? {
        if case .demands(let demands) = verdict, demands.count == 1, demands[0].use == .required { demands[0].peer } else { nil }
    }
    static func daneHosts(_ verdict: DestinationSecurity.Verdict) -> [String]? {
        if case .dane(let hosts, _)? = peer(verdict) { hosts } else { nil }
    }
    static let free = DestinationSecurity.Verdict.demands([.opportunistic, .never])

    // MARK: DANE

    @Test func provedRecordsAreDemanded() async throws {
        #expect(Self.daneHosts(try await verdict()) == ["mx.d.test", "d.test"])
        #expect(Self.daneHosts(try await verdict(level: .daneOnly)) == ["mx.d.test", "d.test"])
    }

    @Test func withoutDNSSECThereIsNoDANE() async throws {
        #expect(try await verdict { _ in false } == Self.free)
        // The MX must be proved (§2.2.1) …
        #expect(try await verdict { $0.text != "d.test" } == Self.free)
        // … and the records themselves.
        #expect(try await verdict { !$0.text.hasPrefix("_25") } == Self.free)
        guard case .unfit(let why) = try await verdict(level: .daneOnly, secure: { _ in false }) else { Issue.record("dane-only gave in"); return }
        #expect(why.status == "4.7.5" && !why.isPermanent && why.failure == .daneRequired)
    }

    @Test func noRecordsProvedAbsentIsNoDANE() async throws {
        #expect(try await verdict(["d.test MX": ["10 mx.d.test"], "mx.d.test A": ["192.0.2.1"]]) == Self.free)
    }

    @Test func unusableRecordsDemandEncryptionAlone() async throws {
        var zone = Self.zone
        for record in ["1 1 1 \(Self.digest)", "3 1 9 \(Self.digest)", "3 7 1 \(Self.digest)", "3 1 1 abcd"] {
            zone["_25._tcp.mx.d.test TLSA"] = [record]
            #expect(Self.peer(try await verdict(zone)) == .anyone)
        }
        guard case .unfit = try await verdict(zone, level: .daneOnly) else { Issue.record("dane-only gave in"); return }
    }

    @Test func recordsThatCannotBeHadKeepTheServerFromUse() async throws {
        guard case .unfit(let why) = try await verdict(broken: ["_25._tcp.mx.d.test"]) else { Issue.record("a failed look-up was taken for no records"); return }
        #expect(why.status == "4.7.5" && !why.isPermanent && why.cause == .dns)
        // Whatever MTA-STS would allow.
        guard case .unfit = try await verdict(sts: Self.sts(.enforce), broken: ["_25._tcp.mx.d.test"]) else { Issue.record("fell back to MTA-STS"); return }
    }

    @Test func aliasesAreFollowedAsFarAsTheyAreProved() async throws {
        // §2.2.2: the end of the chain first, then the name itself.
        let chain = ["d.test MX": ["10 mx.d.test"], "mx.d.test CNAME": ["host.e.test"], "host.e.test A": ["192.0.2.1"]]
        let both = chain.merging(["_25._tcp.host.e.test TLSA": ["3 1 1 \(Self.digest)"], "_25._tcp.mx.d.test TLSA": ["3 1 1 \(Self.digest)"]]) { $1 }
        #expect(Self.daneHosts(try await verdict(both)) == ["host.e.test", "d.test"])
        let own = chain.merging(["_25._tcp.mx.d.test TLSA": ["3 1 1 \(Self.digest)"]]) { $1 }
        #expect(Self.daneHosts(try await verdict(own)) == ["mx.d.test", "d.test"])
        // The alias is proved, its end is not.
        #expect(Self.daneHosts(try await verdict(both) { !$0.text.hasSuffix("e.test") }) == ["mx.d.test", "d.test"])
    }

    // MARK: MTA-STS

    @Test func anEnforcedPolicyDemandsTheHostsCertificate() async throws {
        for level in [TLSLevel.may, .encrypt, .dane] {
            #expect(Self.peer(try await verdict(level: level, sts: Self.sts(.enforce)) { _ in false }) == .names(["mx.d.test"]))
        }
        guard case .unfit(let why) = try await verdict(level: .may, sts: Self.sts(.enforce, mx: "other.test")) else { Issue.record("a host that is not named was used"); return }
        #expect(why.status == "4.7.5" && !why.isPermanent)
    }

    @Test func aPolicyBeingTestedRefusesNothing() async throws {
        guard case .demands(let demands) = try await verdict(level: .may, sts: Self.sts(.testing)) else { Issue.record("refused"); return }
        #expect(demands.map(\.peer) == [.names(["mx.d.test"]), .anyone, .anyone])
        #expect(demands.map(\.use) == [.required, .ifOffered, .never])
        guard case .demands(let others) = try await verdict(level: .may, sts: Self.sts(.testing, mx: "other.test")) else { Issue.record("refused"); return }
        #expect(others.map(\.use) == [.ifOffered, .never])
        #expect(try await verdict(level: .may, sts: Self.sts(.none)) == Self.free)
    }

    @Test func danePrecedes() async throws {
        #expect(Self.daneHosts(try await verdict(sts: Self.sts(.enforce, mx: "other.test"))) != nil)
    }

    // MARK: Settings, and what senders say

    @Test func aWrittenPolicyOverridesWhatIsPublished() async throws {
        #expect(try await verdict(policy: "none", sts: Self.sts(.enforce)) == .demands([.never]))
        #expect(try await verdict(policy: "may", sts: Self.sts(.enforce)) == Self.free)
        #expect(Self.peer(try await verdict(policy: "secure", sts: Self.sts(.enforce, mx: "other.test"))) == .names(["d.test", ".d.test"]))
        #expect(Self.peer(try await verdict(policy: "verify match=x.test")) == .names(["x.test"]))
    }

    @Test func aSenderMayLetGoOfTheDomainsWishesOnly() async throws {
        #expect(try await verdict(sts: Self.sts(.enforce), header: "TLS-Required: No\r\n") == Self.free)
        #expect(Self.daneHosts(try await verdict(header: "TLS-Required: Yes\r\n")) != nil)
        #expect(Self.peer(try await verdict(policy: "encrypt", header: "TLS-Required: No\r\n")) == .anyone)
    }

    @Test func requireTLSWantsAProvedWayAndAProvedServer() async throws {
        #expect(Self.daneHosts(try await verdict(level: .may, requireTLS: true)) != nil)
        let plain = ["d.test MX": ["10 mx.d.test"], "mx.d.test A": ["192.0.2.1"]]
        #expect(Self.peer(try await verdict(plain, level: .may, requireTLS: true)) == .names(["mx.d.test"]))
        #expect(Self.peer(try await verdict(plain, level: .may, sts: Self.sts(.testing), requireTLS: true) { _ in false }) == .names(["mx.d.test"]))
        guard case .unfit(let why) = try await verdict(plain, level: .may, requireTLS: true, secure: { _ in false }) else { Issue.record("trusted an unproved MX"); return }
        #expect(why.isPermanent && why.status == "5.7.30")
    }
}
