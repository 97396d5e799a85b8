import DKIM
import DMARC
import DNS
import Foundation
import InternetMessage
import Logging
import MailFilters
import Milter
import NetworkAddress
import Policy
import SPF
import Synchronization
import Tags

/// The filters that arriving mail goes through, in the gateway's order, over a test's DNS, ground and time. No foreign
/// milters: a test asks nobody.
struct TestChain: Sendable {
    /// The name the gateway goes by in tests.
    static let host = "mx.test.example"

    let chain: FilterChain
    let source: TestPolicySource
    private let policy: PolicyFilter
    private let said: Said

    /// - Parameter time: seconds since 1970, at which the message comes.
    /// - Throws: ``DKIMLibraryFailure``.
    init(_ test: MessageTest, rules: RuleSet, resolver: any Resolver, ground: TestGround, delimiters: String, time: Int) throws {
        let logger = Logger(label: "policy-test") { _ in SwiftLogNoOpLogHandler() }
        let dmarc = DMARCEvaluator(resolver: resolver)
        let said = Said(), own = test.ownDomains
        self.said = said
        source = TestPolicySource(resolver: resolver, ground: ground, time: time, addresses: test.accountAddresses, delimiters: delimiters)
        let house = PolicyHouse(delimiters: delimiters, isOurs: { $0.domainName.map(own.contains) ?? false })
        let tags = TagFilter(ledger: ground.ledger, dmarc: dmarc, tagIn: { Self.tag(in: $0, of: own, delimiters) }, logger: logger)
        policy = PolicyFilter(rules: rules, house: house, source: source, logger: logger, tags: tags.recorder, observer: { said.add($0) })
        chain = FilterChain([
            TrustedRelayFilter(relays: [], logger: logger),
            AuthenticationFilter(
                resolver: resolver, spf: SPFEvaluator(resolver: resolver, receiverName: Self.host, now: { time }),
                dkim: try DKIMVerifier(resolver: resolver, now: { time }), dmarc: dmarc),
            ForgedResultsFilter(authservID: Self.host),
            tags,
            policy,
            ResultsHeaderFilter(authservID: Self.host),
        ])
    }

    /// What the rules said since the chain was made, in order.
    var outcomes: [PolicyOutcome] { said.all }

    func facts(of transaction: Transaction) -> (facts: any PolicyFacts & Sendable, lookups: PolicyLookups) { policy.facts(of: transaction) }

    private static func tag(in address: EmailAddress, of domains: Set<DomainName>, _ delimiters: String) -> TagAddress? {
        guard let domain = address.domainName, domains.contains(domain) else { return nil }
        let (base, detail) = address.splittingDetail(delimiters: delimiters)
        return detail.flatMap { $0.isEmpty ? nil : TagAddress(base: base, detail: $0) }
    }

    private final class Said: Sendable {
        private let outcomes = Mutex<[PolicyOutcome]>([])
        var all: [PolicyOutcome] { outcomes.withLock { $0 } }
        func add(_ outcome: PolicyOutcome) { outcomes.withLock { $0.append(outcome) } }
    }
}

extension MessageTest {
    /// The domains that are ours: those named, else the sender's for mail of our own users, else the recipients', of a
    /// bounce too.
    var ownDomains: Set<DomainName> {
        if !localDomains.isEmpty { return Set(localDomains) }
        let isOriginating = client.account != nil || client.isOwn || client.isNobody
        let sender = isOriginating ? self.sender : nil
        return Set((sender.map { [$0] } ?? recipients).compactMap(\.domainName))
    }
}
