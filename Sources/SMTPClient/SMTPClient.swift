import DNS
import InternetMessage
import NetworkAddress
import NIOCore
import SMTPCore

/// Delivers messages to other servers: finds the hosts, tries them in order, says what became of each recipient.
public final class SMTPClient: Sendable {
    let configuration: SMTPClientConfiguration
    let router: MailRouter
    let group: any EventLoopGroup
    let tls: ClientTLS?

    /// - Parameter tls: nil where no TLS is to be spoken; levels above `may` then fail for now.
    public init(resolver: any Resolver, group: any EventLoopGroup, configuration: SMTPClientConfiguration, tls: ClientTLS? = nil) {
        self.configuration = configuration
        router = MailRouter(resolver: resolver, configuration: configuration)
        self.group = group
        self.tls = tls
    }

    /// Where mail for a recipient's domain goes: recipients with equal next hops may share a delivery.
    public func nextHop(for address: EmailAddress) -> NextHop { configuration.nextHop(for: address.domain) }

    /// Tries to deliver to recipients of one next hop. Always comes back, within the overall deadline.
    public func deliver(from sender: OutgoingSender, to recipients: [ClientRecipient], via hop: NextHop, message: OutgoingMessage) async -> DeliveryReport {
        switch await router.route(hop) {
        case .permanent(let status, let text):
            return DeliveryReport(results: recipients.map { _ in RecipientResult(.permanent, status: status, text: text) })
        case .temporary(let status, let text):
            return DeliveryReport(results: recipients.map { _ in RecipientResult(.temporary, status: status, text: text) })
        case .hosts(let hosts):
            let attempt = DeliveryAttempt(client: self, hop: hop, sender: sender, message: message, recipients: recipients)
            return DeliveryReport(results: await attempt.run(hosts))
        }
    }
}
