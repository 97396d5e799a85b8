import DKIM
import Foundation
import InternetMessage
import NIOPosix
import NetworkAddress
import DNS
import SMTPClient
import SMTPCore
import TLS

/// Sends the demo's messages over real SMTP: each sender from a loopback address of its own.
struct DemoSender: Sendable {
    let group: MultiThreadedEventLoopGroup
    /// Where the sender's domain's mail comes from, and what it says at EHLO.
    let domain: DemoWorld.Domain

    /// - Returns: the server's last word on the recipient.
    func send(_ message: Message, from sender: EmailAddress, to recipient: EmailAddress, host: String, port: Int,
              login: ClientCredentials? = nil) async throws -> RecipientResult {
        guard let address = IPAddress(host) else { throw DemoFailure("\(host) is no address") }
        let hop = NextHop.address(address, port: port)
        var configuration = SMTPClientConfiguration(heloName: "mail.\(domain.name)")
        configuration.bindAddress4 = IPAddress(domain.address)
        if let login { configuration.credentials = [hop: login] }
        let tls = ClientTLS(opportunistic: try TLSContext.client(trust: .nobody), verifying: nil)
        let client = SMTPClient(resolver: NoDNS(), group: group, configuration: configuration, tls: tls)
        let report = await client.deliver(from: OutgoingSender(sender), to: [ClientRecipient(recipient)], via: hop,
                                          message: OutgoingMessage(try message.bytes()))
        guard let result = report.results.first else { throw DemoFailure("the client reported nothing") }
        return result
    }

    /// A message in the demo's plain style.
    static func message(from author: String, to recipient: String, subject: String, id: String, text: String) -> Message {
        let now = MailDate(unixTime: Int64(Date().timeIntervalSince1970), zoneMinutes: 0).description
        let fields = [("From", author), ("To", recipient), ("Subject", subject), ("Date", now), ("Message-ID", "<\(id)>"),
                      ("MIME-Version", "1.0"), ("Content-Type", "text/plain; charset=utf-8")]
        return Message(header: MessageHeader(fields.map { HeaderField(name: $0.0, value: $0.1) }),
                       body: MessageBody(Array((text + "\r\n").utf8)))
    }

    /// Signed as the domain's own server would.
    func signed(_ message: Message) throws -> Message {
        var message = message
        let keys = try domain.keys.map { try domain.key($0.selector) }
        message.header.fields.insert(contentsOf: try DKIMSigner().sign(message, with: keys, at: Date()), at: 0)
        return message
    }
}

/// The demo's clients are told where to go; they have nothing to ask.
private struct NoDNS: DNS.Resolver {
    func resolve(_ question: DNSQuestion) async -> DNSResponse { DNSResponse(.nameError) }
}
