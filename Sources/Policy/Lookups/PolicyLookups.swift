/// The answer to a ``PolicyQuery``.
public struct PolicyAnswer: Sendable, Hashable, Codable {
    public enum Value: Sendable, Hashable, Codable {
        case number(Int)
        case flag(Bool)
        case word(String)
        case attachments(AttachmentListing)
    }

    /// nil: there is none, `missing` in the language.
    public var value: Value?
    /// What it rests on, in words, for records: `zen.spamhaus.org 127.0.0.2`, `the DNS did not answer`.
    public var remarks: [String]

    public init(_ value: Value?, remarks: [String] = []) {
        self.value = value
        self.remarks = remarks
    }

    public static let missing = PolicyAnswer(nil)
}

/// What was asked about one message, by the question's text: kept in its record, and enough to judge it again.
public struct PolicyLookups: Sendable, Hashable, Codable {
    /// Questions that one message may cost; what is asked beyond is `missing`.
    public static let limit = 10_000

    public private(set) var answers: [String: PolicyAnswer] = [:]

    public init(_ answers: [String: PolicyAnswer] = [:]) { self.answers = answers }

    public subscript(_ query: PolicyQuery) -> PolicyAnswer? {
        get { answers[query.text] }
        set { answers[query.text] = newValue }
    }

    /// Adds what was asked earlier, of the connection.
    public mutating func add(_ others: PolicyLookups) { answers.merge(others.answers) { mine, _ in mine } }
}

/// What a message brings along beside its text.
public struct AttachmentListing: Sendable, Hashable, Codable {
    /// File names of MIME parts and of what lies in archives, as far as they were looked at.
    public var names: [String]
    /// `application/pdf`, of every part that has no parts itself.
    public var types: [String]
    /// An archive needs a password.
    public var isEncrypted: Bool
    /// An archive is broken, of an unknown kind, or larger than is looked at: not all names are known.
    public var isUnreadable: Bool

    public init(names: [String] = [], types: [String] = [], isEncrypted: Bool = false, isUnreadable: Bool = false) {
        self.names = names
        self.types = types
        self.isEncrypted = isEncrypted
        self.isUnreadable = isUnreadable
    }
}
