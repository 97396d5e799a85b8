import InternetMessage

/// The commands a client sends, as octets.
enum ClientCommand {
    static func line(_ text: String) -> [UInt8] { Array(text.utf8) + [13, 10] }

    /// `MAIL FROM:<…>` with the parameters the server offered, and only those (RFC 5321 §4.1.1.2).
    static func mail(_ transaction: ClientTransaction, _ server: ServerExtensions, smtpUTF8: Bool) -> String {
        var text = "MAIL FROM:<\(transaction.sender?.description ?? "")>"
        if server.size { text += " SIZE=\(transaction.byteCount)" }
        if server.eightBitMIME, transaction.bodyIs8Bit || transaction.headerIs8Bit { text += " BODY=8BITMIME" }
        if smtpUTF8 { text += " SMTPUTF8" }
        if server.dsn {
            if let value = transaction.returnContent { text += " RET=\(value)" }
            if let value = transaction.envelopeID, isSafe(value) { text += " ENVID=\(value)" }
        }
        if transaction.requireTLS { text += " REQUIRETLS" }
        return text
    }

    static func recipient(_ recipient: ClientRecipient, _ server: ServerExtensions) -> String {
        var text = "RCPT TO:<\(recipient.address)>"
        guard server.dsn else { return text }
        if let value = recipient.notify, isSafe(value) { text += " NOTIFY=\(value)" }
        if let value = recipient.originalRecipient, isSafe(value) { text += " ORCPT=\(value)" }
        return text
    }

    /// Whether an address can stand in a command: a control character would begin a command of its own.
    static func isSafe(_ address: EmailAddress) -> Bool { address.localPart.utf8.allSatisfy { $0 >= 32 && $0 != 127 } }

    /// esmtp-value without blanks and controls (RFC 5321 §4.1.2).
    static func isSafe(_ value: String) -> Bool { !value.isEmpty && value.utf8.allSatisfy { $0 > 32 && $0 != 127 } }
}

/// A user and password for a relay host.
public struct ClientCredentials: Sendable, Hashable {
    public var user: String
    public var password: String
    /// Send them though the connection is not encrypted; only for a relay on this machine.
    public var allowWithoutTLS: Bool

    public init(user: String, password: String, allowWithoutTLS: Bool = false) {
        self.user = user
        self.password = password
        self.allowWithoutTLS = allowWithoutTLS
    }
}
