import InternetMessage

/// ENVELOPE (RFC 3501 §7.4.2): the header's main fields, parsed for the client.
public struct Envelope: Sendable, Hashable {
    public let date, subject, inReplyTo, messageID: [UInt8]?
    public let from, sender, replyTo, to, cc, bcc: AddressList?

    public init(_ header: MessageHeader) {
        date = Self.text(header, "Date")
        subject = Self.text(header, "Subject")
        inReplyTo = Self.text(header, "In-Reply-To")
        messageID = Self.text(header, "Message-ID")
        let from = Self.addresses(header, "From")
        self.from = from
        // "If the Sender or Reply-To lines are absent in the header, or are present but empty, the server sets the
        // corresponding member of the envelope to be the same value as the from member."
        sender = Self.addresses(header, "Sender") ?? from
        replyTo = Self.addresses(header, "Reply-To") ?? from
        to = Self.addresses(header, "To")
        cc = Self.addresses(header, "Cc")
        bcc = Self.addresses(header, "Bcc")
    }

    public func encode(into writer: inout ResponseWriter) {
        writer.raw("(")
        writer.nstring(date)
        writer.raw(" ")
        writer.nstring(subject)
        for list in [from, sender, replyTo, to, cc, bcc] {
            writer.raw(" ")
            Self.encode(list, into: &writer)
        }
        writer.raw(" ")
        writer.nstring(inReplyTo)
        writer.raw(" ")
        writer.nstring(messageID)
        writer.raw(")")
    }

    /// Unfolded octets, blanks at the ends removed; not decoded, that is the client's work.
    private static func text(_ header: MessageHeader, _ name: String) -> [UInt8]? {
        guard let field = header.first(name) else { return nil }
        var value = field.rawValue.filter { $0 != 13 && $0 != 10 }[...]
        while let first = value.first, first == 32 || first == 9 { value = value.dropFirst() }
        while let last = value.last, last == 32 || last == 9 { value = value.dropLast() }
        return Array(value)
    }

    /// A field that occurs twice (against RFC 5322 §3.6) is read as one list.
    private static func addresses(_ header: MessageHeader, _ name: String) -> AddressList? {
        let fields = header.all(name)
        guard !fields.isEmpty else { return nil }
        let list = AddressList.parse(Array(fields.map(\.rawValue).joined(separator: [44])))
        return list.entries.isEmpty ? nil : list
    }

    private static func encode(_ list: AddressList?, into writer: inout ResponseWriter) {
        guard let list else { return writer.raw("NIL") }
        writer.raw("(")
        for entry in list.entries {
            switch entry {
            case .mailbox(let mailbox): encode(mailbox, into: &writer)
            case .group(let name, let members):
                // Group syntax: a host of NIL with the group's name, then with NIL at its end.
                writer.raw("(NIL NIL ")
                writer.string(name)
                writer.raw(" NIL)")
                for member in members { encode(member, into: &writer) }
                writer.raw("(NIL NIL NIL NIL)")
            }
        }
        writer.raw(")")
    }

    private static func encode(_ mailbox: AddressList.Mailbox, into writer: inout ResponseWriter) {
        writer.raw("(")
        writer.nstring(mailbox.name)
        writer.raw(" ")
        writer.nstring(mailbox.route.map { Array($0.utf8) })
        writer.raw(" ")
        // NIL in these places would mean a group, so an address that lacks one gets a word that says so.
        writer.string(Array((mailbox.localPart.isEmpty ? "MISSING_MAILBOX" : mailbox.localPart).utf8))
        writer.raw(" ")
        writer.string(Array((mailbox.domain.isEmpty ? "MISSING_DOMAIN" : mailbox.domain).utf8))
        writer.raw(")")
    }
}
