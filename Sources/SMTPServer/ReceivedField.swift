import Foundation
import InternetMessage
import Milter
import NetworkAddress

/// The trace field of a message taken over SMTP (RFC 5321 §4.4), in Postfix's layout.
enum ReceivedField {
    static func make(_ transaction: Transaction, _ configuration: SMTPServerConfiguration, extended: Bool, utf8: Bool, at date: Date) -> HeaderField {
        let connection = transaction.connection
        let helo = clean(transaction.helo)
        var lines = ["from \(helo.isEmpty ? "unknown" : helo) (\(client(connection)))"]
        if let tls = connection.tls {
            lines.append("(using \(tls.version) with cipher \(tls.cipher) (\(tls.cipherBits)/\(tls.cipherBits) bits))")
        }
        if let user = connection.authenticatedUser {
            lines.append(configuration.showsAuthenticatedUser ? "(Authenticated sender: \(clean(user)))" : "(Authenticated sender hidden)")
        }
        lines.append("by \(configuration.hostname) (postern) with \(with(connection, extended, utf8)) id \(transaction.id)")
        // One recipient only: more would show each of them the others (RFC 5321 §7.2).
        let stamp = MailDate(unixTime: Int64(date.timeIntervalSince1970), zoneMinutes: 0).description
        if transaction.recipients.count == 1, let only = transaction.recipients.first {
            lines.append("for <\(only.address)>; \(stamp)")
        } else {
            lines[lines.count - 1] += ";"
            lines.append(stamp)
        }
        return HeaderField(name: "Received", value: lines.joined(separator: "\r\n\t"))
    }

    private static func client(_ connection: ConnectionFacts) -> String {
        guard let address = connection.clientAddress else { return "localhost" }
        let literal = address.family == .v4 ? "[\(address)]" : "[IPv6:\(address)]"
        return "\(connection.clientName.map(clean) ?? "unknown") \(literal)"
    }

    /// RFC 3848 and RFC 6531 §4.3.
    private static func with(_ connection: ConnectionFacts, _ extended: Bool, _ utf8: Bool) -> String {
        guard extended else { return "SMTP" }
        return (utf8 ? "UTF8SMTP" : "ESMTP") + (connection.tls == nil ? "" : "S") + (connection.authenticatedUser == nil ? "" : "A")
    }

    /// What a stranger said, without what could end a comment or a line, and in ASCII: the message may not be one that
    /// has leave to bear UTF-8 in its header (RFC 6532).
    private static func clean(_ text: String) -> String {
        String(text.unicodeScalars.filter { $0.value > 32 && $0.value < 127 && !"()<>\\\";".unicodeScalars.contains($0) }.prefix(255).map(Character.init))
    }
}
