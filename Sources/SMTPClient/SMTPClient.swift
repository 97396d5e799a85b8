import DNS
import InternetMessage
import MTASTS
import NetworkAddress
import NIOCore
import SMTPCore

/// Delivers messages to other servers: finds the hosts, tries them in order, says what became of each recipient.
public final class SMTPClient: Sendable {
    let configuration: SMTPClientConfiguration
    let router: MailRouter
    let group: any EventLoopGroup
    let tls: ClientTLS?
    let sts: (any STSPolicySource)?
    let observe: @Sendable (TLSObservation) -> Void
    let idle: IdleConnections
    let rooms: HostRooms

    /// - Parameters:
    ///   - tls: nil where no TLS is to be spoken; levels above `may` then fail for now.
    ///   - sts: nil: MTA-STS is not looked at.
    ///   - observe: told of each session's TLS outcome, for reports; must not block.
    public init(resolver: any Resolver, group: any EventLoopGroup, configuration: SMTPClientConfiguration, tls: ClientTLS? = nil,
                sts: (any STSPolicySource)? = nil, observe: @escaping @Sendable (TLSObservation) -> Void = { _ in }) {
        self.configuration = configuration
        router = MailRouter(resolver: resolver, configuration: configuration)
        self.group = group
        self.tls = tls
        self.sts = sts
        self.observe = observe
        idle = IdleConnections(time: configuration.cacheTime)
        rooms = HostRooms(initial: configuration.initialHostConcurrency, most: configuration.hostConcurrency)
    }

    /// Where mail for a recipient's domain goes: recipients with equal next hops may share a delivery.
    public func nextHop(for address: EmailAddress) -> NextHop { configuration.nextHop(for: address.domain) }

    /// Tries to deliver to recipients of one next hop. Always comes back, within the overall deadline.
    public func deliver(from sender: OutgoingSender, to recipients: [ClientRecipient], via hop: NextHop, message: OutgoingMessage) async -> DeliveryReport {
        switch await router.route(hop) {
        case .discarded(let text): return DeliveryReport(results: recipients.map { _ in RecipientResult(.delivered, status: "2.0.0", text: text) })
        case .permanent(let status, let text):
            return DeliveryReport(results: recipients.map { _ in RecipientResult(.permanent, status: status, text: text, cause: hop.isSetting ? .here : .dns) })
        case .temporary(let status, let text):
            return DeliveryReport(results: recipients.map { _ in RecipientResult(.temporary, status: status, text: text, cause: .dns) })
        case .hosts(let hosts):
            let security = await security(for: hop, sender, message)
            let attempt = DeliveryAttempt(client: self, hop: hop, sender: sender, message: message, recipients: recipients, security: security)
            return DeliveryReport(results: await attempt.run(idle.preferred(hosts)))
        }
    }

    /// What is known of a destination's TLS before its servers are.
    func security(for hop: NextHop, _ sender: OutgoingSender, _ message: OutgoingMessage) async -> DestinationSecurity {
        let written = configuration.tlsPolicies.policy(for: hop)
        let policy = written ?? TLSPolicy(configuration.tlsLevel)
        let credentials = configuration.credentials[hop]
        let isOpen = written == nil && policy.level != .none && policy.level != .daneOnly && policy.level != .verify && policy.level != .secure
        var ignores = false
        var finding = STSFinding.nothing
        if case .mailExchangers(let domain, _) = hop, isOpen || sender.requireTLS {
            ignores = sender.requireTLS ? false : await message.saysTLSIsOptional()
            if !ignores, let sts { finding = await sts.policy(of: domain) }
        }
        return DestinationSecurity(hop: hop, policy: policy, isExplicit: written != nil, requireTLS: sender.requireTLS,
                                   guardsPassword: credentials.map { !$0.allowWithoutTLS } ?? false, ignoresDomain: ignores, sts: finding,
                                   dane: DANELookup(resolver: router.resolver))
    }
}

extension NextHop {
    fileprivate var isSetting: Bool { if case .error = self { true } else { false } }
}
