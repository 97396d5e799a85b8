import Foundation
import NetworkAddress
import TLS

/// How a port begins to speak TLS.
public enum TLSGreeting: String, Sendable, Hashable {
    /// At once: 465, 993.
    case implicit
    /// SMTP's STARTTLS (RFC 3207).
    case smtp
    /// IMAP's STARTTLS (RFC 9051 §6.2.1).
    case imap
}

/// Asks a port for its certificates.
enum ShownCertificate {
    /// - Throws: why there is none to see. Blocks.
    static func fetch(_ place: LineConnection.Place, _ greeting: TLSGreeting, serverName: String, within time: Duration) throws -> [InspectedCertificate] {
        let context = try TLSContext.client(trust: .nobody)
        let connection = try LineConnection(place, within: time)
        switch greeting {
        case .implicit: break
        case .smtp:
            guard try connection.reply().code == 220 else { throw LineConnection.Failure(description: "it does not greet with 220") }
            let offers = try connection.ask("EHLO localhost", expecting: 250)
            guard offers.contains(where: { $0.uppercased() == "STARTTLS" }) else { throw LineConnection.Failure(description: "it does not offer STARTTLS") }
            try connection.ask("STARTTLS", expecting: 220)
        case .imap:
            _ = try connection.line()
            try connection.send("a STARTTLS\r\n")
            let answer = try connection.line()
            guard answer.uppercased().hasPrefix("A OK") else { throw LineConnection.Failure(description: "STARTTLS was answered \(answer.prefix(80).debugDescription)") }
        }
        return try connection.startTLS(context, serverName: serverName)
    }
}
