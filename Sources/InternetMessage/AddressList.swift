/// The addresses of From:, To:, Cc: and their like (RFC 5322 §3.4, obsolete forms of §4.4 included).
///
/// Reading is lenient, since it must show whatever mail there is: what cannot be understood is skipped up to the next
/// comma, and ``isWellFormed`` tells. Local part and domain are raw text, not checked against SMTP's rules.
public struct AddressList: Sendable, Hashable {
    /// An addr-spec as written, quoting and comments removed.
    public struct Mailbox: Sendable, Hashable {
        /// The display name, RFC 2047 not decoded (see ``EncodedWords``); from a comment where the old form is used.
        public let name: [UInt8]?
        public let localPart: String
        /// Empty when the address has none (`<postmaster>`); a literal keeps its brackets.
        public let domain: String
        /// The obsolete source route, `@a,@b`; IMAP's ENVELOPE reports it.
        public let route: String?

        public init(name: [UInt8]? = nil, localPart: String, domain: String, route: String? = nil) {
            self.name = name
            self.localPart = localPart
            self.domain = domain
            self.route = route
        }

        /// The address in the form that is compared; nil when SMTP's grammar does not allow it.
        public var address: EmailAddress? { EmailAddress(EmailAddress.quoted(localPart) + "@" + domain) }
    }

    public enum Entry: Sendable, Hashable {
        case mailbox(Mailbox)
        /// `name: a, b;`
        case group(name: [UInt8], members: [Mailbox])
    }

    public let entries: [Entry]
    /// Whether the whole value fitted the grammar, obsolete forms included, and no limit was reached.
    public let isWellFormed: Bool

    /// All mailboxes in order, those in groups included.
    public var mailboxes: [Mailbox] {
        entries.flatMap { entry in
            switch entry {
            case .mailbox(let mailbox): [mailbox]
            case .group(_, let members): members
            }
        }
    }

    /// Addresses beyond this many are not read.
    public static let limit = 10_000

    /// - Parameters:
    ///   - value: a field's value, folding included (``HeaderField/rawValue``).
    ///   - allowsBareNames: whether a word without a domain is well-formed, as mail has it that programs of one machine send
    ///     each other: `root (Cron Daemon)`.
    public static func parse(_ value: some Collection<UInt8>, allowsBareNames: Bool = false) -> AddressList {
        var parser = AddressListParser(value, allowsBareNames: allowsBareNames)
        return parser.list()
    }

    init(entries: [Entry], isWellFormed: Bool) {
        self.entries = entries
        self.isWellFormed = isWellFormed
    }
}
