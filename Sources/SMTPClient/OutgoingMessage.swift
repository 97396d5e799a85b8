import InternetMessage
import SMTPCore

/// A message as the client sends it: what must be known beforehand, and the content in pieces.
public struct OutgoingMessage: Sendable {
    /// Octets, CRLF line ends, before dot-stuffing.
    public let byteCount: Int
    public let headerIs8Bit: Bool
    public let bodyIs8Bit: Bool
    /// At most so many octets from an offset, at least one before the end. Called for one offset after the other, more
    /// than once from the start when several servers are tried. Must not block a cooperative thread.
    public let read: @Sendable (_ offset: Int, _ maximum: Int) async throws -> [UInt8]

    public init(byteCount: Int, headerIs8Bit: Bool, bodyIs8Bit: Bool, read: @escaping @Sendable (_ offset: Int, _ maximum: Int) async throws -> [UInt8]) {
        self.byteCount = byteCount
        self.headerIs8Bit = headerIs8Bit
        self.bodyIs8Bit = bodyIs8Bit
        self.read = read
    }

    /// A message in memory.
    public init(_ bytes: [UInt8]) {
        let is8Bit = bytes.contains { $0 >= 0x80 }
        let headerEnd = MessageHeader.parse(bytes[...]).consumed
        self.init(byteCount: bytes.count, headerIs8Bit: bytes[..<headerEnd].contains { $0 >= 0x80 }, bodyIs8Bit: is8Bit) { offset, maximum in
            Array(bytes[min(offset, bytes.count)..<min(offset + maximum, bytes.count)])
        }
    }
}

extension OutgoingMessage {
    /// Octets of a header that are looked at.
    private static let headerLimit = 262_144

    /// Whether the header says `TLS-Required: No` (RFC 8689 §5). A message that cannot be read now says nothing.
    func saysTLSIsOptional() async -> Bool {
        guard let start = try? await read(0, min(byteCount, Self.headerLimit)), !start.isEmpty else { return false }
        let fields = MessageHeader.parse(start[...]).header.all("TLS-Required")
        return fields.count == 1 && fields[0].value.filter { !$0.isWhitespace }.lowercased() == "no"
    }
}

/// The envelope's part that all recipients of a transaction share.
public struct OutgoingSender: Sendable, Hashable {
    public var address: EmailAddress?
    public var returnContent: String?
    public var envelopeID: String?
    public var smtpUTF8: Bool
    public var requireTLS: Bool

    public init(_ address: EmailAddress?, returnContent: String? = nil, envelopeID: String? = nil, smtpUTF8: Bool = false, requireTLS: Bool = false) {
        self.address = address
        self.returnContent = returnContent
        self.envelopeID = envelopeID
        self.smtpUTF8 = smtpUTF8
        self.requireTLS = requireTLS
    }

    func transaction(_ message: OutgoingMessage, to recipients: [ClientRecipient]) -> ClientTransaction {
        ClientTransaction(sender: address, recipients: recipients, byteCount: message.byteCount, headerIs8Bit: message.headerIs8Bit,
                          bodyIs8Bit: message.bodyIs8Bit, returnContent: returnContent, envelopeID: envelopeID, requireTLS: requireTLS,
                          smtpUTF8: smtpUTF8)
    }
}
