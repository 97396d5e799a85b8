import InternetMessage

/// A mailbox's name in Unicode. `INBOX` in any case is the one name ``inbox`` (RFC 3501 §5.1).
public struct MailboxName: Sendable, Hashable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) { self.text = ASCII.equal(text, "INBOX") ? "INBOX" : text }

    public static let inbox = MailboxName("INBOX")

    /// From the wire: modified UTF-7, or UTF-8 where octets above 127 occur (clients send that unasked, and RFC 9051
    /// makes it the rule). nil when it is neither.
    public init?(wire: some Collection<UInt8>) {
        guard let text = Self.decode(wire) else { return nil }
        self.init(text)
    }

    /// The octets for the wire: modified UTF-7, or UTF-8 after ENABLE IMAP4rev2 or UTF8=ACCEPT.
    public func wire(utf8: Bool = false) -> [UInt8] { Array((utf8 ? text : ModifiedUTF7.encode(text)).utf8) }

    public var isInbox: Bool { text == "INBOX" }
    public var description: String { text }

    static func decode(_ wire: some Collection<UInt8>) -> String? {
        wire.contains { $0 >= 0x80 } ? String(validating: wire, as: UTF8.self) : ModifiedUTF7.decode(wire)
    }

    static func parse(_ scanner: inout Scanner) throws(ScanError) -> MailboxName {
        let wire = try scanner.astring()
        guard let text = try decode(wire, scanner) else { throw ScanError("the mailbox name is not valid") }
        return MailboxName(text)
    }

    /// A name or pattern in the encoding that the session uses.
    static func decode(_ wire: [UInt8], _ scanner: Scanner) throws(ScanError) -> String? {
        if scanner.namesAreUTF8 { return String(validating: wire, as: UTF8.self) }
        guard let text = decode(wire) else { throw ScanError("the mailbox name is not valid modified UTF-7; write & as &-") }
        return text
    }
}
