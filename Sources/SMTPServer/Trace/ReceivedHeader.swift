import InternetMessage
import Milter
import SMTPCore

/// The trace field that a server puts on top of each message (RFC 5321 §4.4), in the form Postfix gives it.
struct ReceivedHeader {
    var connection: ConnectionFacts
    var helo: String
    var speaks = ServerProtocol.smtp
    var isExtended: Bool
    var isSMTPUTF8: Bool
    var hostname: String
    var id: String
    /// Named only when there is one (RFC 5321 §7.2: no recipient learns of another).
    var recipients: [EnvelopeRecipient]
    var hideUser: Bool
    /// Seconds since 1970.
    var time: Int64

    var field: HeaderField {
        var lines = ["from \(Self.safe(helo)) (\(client))"]
        if let tls = connection.tls {
            lines.append("(using \(tls.version) with cipher \(tls.cipher) (\(tls.cipherBits) bits))")
        }
        if let user = connection.authenticatedUser {
            lines.append(hideUser ? "(authenticated user hidden)" : "(Authenticated sender: \(Self.safe(user)))")
        }
        lines.append("by \(hostname) (Postern) with \(Self.transmissionType(self)) id \(id)")
        let date = MailDate(unixTime: time).description
        if recipients.count == 1, let address = recipients.first?.address {
            lines.append("for <\(address)>; \(date)")
        } else {
            lines[lines.count - 1] += ";"
            lines.append(date)
        }
        return HeaderField(name: "Received", value: lines.joined(separator: "\r\n\t"))
    }

    private var client: String {
        guard let address = connection.clientAddress else { return "local" }
        return "\(Self.safe(connection.clientName ?? "unknown")) [\(address.family == .v6 ? "IPv6:" : "")\(address)]"
    }

    /// RFC 3848; RFC 6531 §4.3 for UTF8SMTP and UTF8LMTP.
    static func transmissionType(_ header: ReceivedHeader) -> String {
        guard header.isExtended else { return "SMTP" }
        let name = header.speaks == .lmtp ? (header.isSMTPUTF8 ? "UTF8LMTP" : "LMTP") : (header.isSMTPUTF8 ? "UTF8SMTP" : "ESMTP")
        return name + (header.connection.tls == nil ? "" : "S")
            + (header.connection.authenticatedUser == nil ? "" : "A")
    }

    /// What a client says of itself may not be syntax in the field, nor UTF-8, for which the message may have no leave.
    static func safe(_ text: String) -> String {
        if text.utf8.count <= 255, text.utf8.allSatisfy(isSafe) { return text }
        return String(text.unicodeScalars.prefix(255).map { scalar -> Character in
            scalar.isASCII && isSafe(UInt8(truncatingIfNeeded: scalar.value)) ? Character(scalar) : "?"
        })
    }

    /// Letters, digits and what addresses are made of.
    private static func isSafe(_ octet: UInt8) -> Bool {
        switch octet {
        case 48...57, 65...90, 97...122: true
        default: "-._:[]@+=".utf8.contains(octet)
        }
    }
}
