import InternetMessage

/// One message on its way through the chain: the facts, the envelope, the working copy, what filters found and did.
///
/// A value that the chain hands to each filter in turn (`inout`), so filter N+1 sees what filter N changed.
public struct Transaction: Sendable {
    /// Identifies the message in logs, replies and records; unique in this installation.
    public let id: String
    public var connection: ConnectionFacts
    /// What the client said at HELO or EHLO; empty before.
    public var helo: String
    public var sender: EnvelopeSender
    public var recipients: [EnvelopeRecipient]
    /// The working copy. Empty until end of data.
    public private(set) var message: Message
    /// All changes so far, in order.
    public private(set) var modifications: [Modification] = []
    /// Set when a filter held the message.
    public private(set) var quarantineReason: String?
    /// Keywords and folder for the delivered copy: what the store may honour and a milter's MTA cannot.
    public var deliveryHints = DeliveryHints()
    /// A dozen at the most, so looking through them is quicker than hashing.
    @usableFromInline var results: [(key: ObjectIdentifier, value: any AnyObject & Sendable)] = []

    public init(id: String, connection: ConnectionFacts, helo: String = "", sender: EnvelopeSender = EnvelopeSender(nil),
                recipients: [EnvelopeRecipient] = [], message: Message = Message()) {
        self.id = id
        self.connection = connection
        self.helo = helo
        self.sender = sender
        self.recipients = recipients
        self.message = message
    }

    /// What a filter found, for later ones: typed, one value a key. Never re-parsed from header text.
    @inlinable public subscript<Key: TransactionResultKey>(_ key: Key.Type) -> Key.Value? {
        get {
            let name = ObjectIdentifier(key)
            for result in results where result.key == name { return (result.value as? TransactionResult<Key.Value>)?.value }
            return nil
        }
        set {
            let name = ObjectIdentifier(key)
            results.removeAll { $0.key == name }
            if let newValue { results.append((name, TransactionResult(newValue))) }
        }
    }

    /// The same, with a value to begin with.
    @inlinable public subscript<Key: TransactionResultKey>(_ key: Key.Type, default fallback: @autoclosure () -> Key.Value) -> Key.Value {
        get { self[key] ?? fallback() }
        set { self[key] = newValue }
    }

    /// Puts the received content in place; before end of message only.
    public mutating func receive(_ message: Message) { self.message = message }

    /// Logs a change and applies it to the working copy.
    public mutating func apply(_ change: Modification) {
        modifications.append(change)
        switch change {
        case .insertHeader(let index, let field):
            message.header.fields.insert(field, at: min(max(index, 0), message.header.fields.count))
        case .addHeader(let field): message.header.fields.append(field)
        case .changeHeader(let name, let occurrence, let field): changeHeader(name, occurrence, field)
        case .addRecipient(let recipient):
            if !recipients.contains(where: { $0.address == recipient.address }) { recipients.append(recipient) }
        case .removeRecipient(let address): recipients.removeAll { $0.address == address }
        case .changeSender(let sender): self.sender = sender
        case .replaceBody(let body): message.body = body
        case .quarantine(let reason): quarantineReason = reason
        }
    }

    /// As `smfi_chgheader`: no such occurrence and a value given means add it at the end.
    private mutating func changeHeader(_ name: String, _ occurrence: Int, _ field: HeaderField?) {
        let places = message.header.fields.indices.filter { message.header.fields[$0].isNamed(name) }
        guard occurrence >= 1, occurrence <= places.count else {
            if let field { message.header.fields.append(field) }
            return
        }
        let place = places[occurrence - 1]
        if let field { message.header.fields[place] = field } else { message.header.fields.remove(at: place) }
    }
}

/// Holds a typed result: an object of its own costs a comparison to get back, a value in an existential a cast and a copy.
@usableFromInline final class TransactionResult<Value: Sendable>: Sendable {
    @usableFromInline let value: Value
    @usableFromInline init(_ value: Value) { self.value = value }
}

/// Names a typed result in a ``Transaction``.
public protocol TransactionResultKey { associatedtype Value: Sendable }

/// What policy asks of our own store for each recipient's copy. Ignored when a foreign MTA delivers.
public struct DeliveryHints: Sendable, Hashable {
    /// Folder to file into instead of INBOX, as `Junk`.
    public var folder: String?
    /// IMAP keywords to set: `$Leaked`, `$Junk`.
    public var keywords: Set<String> = []
    /// By recipient, where a filter has something to say of one only: keywords beside the common ones.
    public var recipientKeywords: [EmailAddress: Set<String>] = [:]
    public init() {}
}
