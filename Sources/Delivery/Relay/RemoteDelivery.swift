import InternetMessage
import SMTPClient
import SMTPCore

/// What carries mail away; ``SMTPClient`` outside tests.
public protocol RemoteDelivery: Sendable {
    func nextHop(for address: EmailAddress) -> NextHop
    func deliver(from sender: OutgoingSender, to recipients: [ClientRecipient], via hop: NextHop, message: OutgoingMessage) async -> DeliveryReport
}

extension SMTPClient: RemoteDelivery {}
