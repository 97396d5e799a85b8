import InternetMessage

/// Puts messages in the order that SORT asks for (RFC 5256 §3). What it needs of each is read once.
public struct MessageSorter: Sendable {
    enum Value: Sendable {
        case number(Int64)
        case text(CollationKey)

        static func precedes(_ a: Value, _ b: Value) -> Bool? {
            switch (a, b) {
            case (.number(let a), .number(let b)): a == b ? nil : a < b
            case (.text(let a), .text(let b)): a == b ? nil : a < b
            default: nil
            }
        }
    }

    private let criteria: [SortCriterion]
    private var rows: [SortRank] = []

    public init(_ criteria: [SortCriterion]) { self.criteria = criteria }

    /// Takes in a message. May read its header.
    /// - Parameter number: what the answer calls it; ascending from call to call, which decides ties.
    public mutating func add(_ message: some SearchableMessage, as number: UInt32) throws {
        rows.append(try rank(of: message, as: number))
    }

    /// What a message is compared by. May read its header.
    public func rank(of message: some SearchableMessage, as number: UInt32) throws -> SortRank {
        SortRank(values: try criteria.map { try Self.value($0.key, message) }, number: number)
    }

    /// Whether the first goes before the second.
    public func precedes(_ a: SortRank, _ b: SortRank) -> Bool {
        for (index, criterion) in criteria.enumerated() {
            if let precedes = Value.precedes(a.values[index], b.values[index]) { return precedes != criterion.isReversed }
        }
        return a.number < b.number
    }

    /// The numbers in order.
    public func sorted() -> [UInt32] { rows.sorted(by: precedes).map(\.number) }

    private static func value(_ key: SortCriterion.Key, _ message: some SearchableMessage) throws -> Value {
        switch key {
        case .arrival: .number(message.internalDate.unixTime)
        case .size: .number(Int64(message.size))
        case .date: .number(try SentDate.of(message))
        case .subject: .text(CollationKey(BaseSubject(field: try message.fields("Subject").first?.rawValue ?? []).text))
        case .from: .text(try mailbox("From", message))
        case .to: .text(try mailbox("To", message))
        case .cc: .text(try mailbox("Cc", message))
        case .displayFrom: .text(try display("From", message))
        case .displayTo: .text(try display("To", message))
        }
    }

    /// RFC 5957 §3: the display name, or where there is none the address.
    private static func display(_ name: String, _ message: some SearchableMessage) throws -> CollationKey {
        switch try addresses(name, message).entries.first {
        case .mailbox(let mailbox):
            let shown = mailbox.name.map { EncodedWords.decode($0) } ?? ""
            return CollationKey(shown.isEmpty ? mailbox.localPart + (mailbox.domain.isEmpty ? "" : "@" + mailbox.domain) : shown)
        case .group(let name, _): return CollationKey(EncodedWords.decode(name))
        case nil: return CollationKey("")
        }
    }

    private static func addresses(_ name: String, _ message: some SearchableMessage) throws -> AddressList {
        let fields = try message.fields(name)
        return AddressList.parse(Array(fields.map(\.rawValue).joined(separator: [44])))
    }

    /// `addr-mailbox` of the first address, as ENVELOPE has it: the local part, or a group's name.
    private static func mailbox(_ name: String, _ message: some SearchableMessage) throws -> CollationKey {
        switch try addresses(name, message).entries.first {
        case .mailbox(let mailbox): return CollationKey(mailbox.localPart)
        case .group(let name, _): return CollationKey(String(decoding: name, as: UTF8.self))
        case nil: return CollationKey("")
        }
    }
}

/// A message as SORT compares it, with the number that decides ties.
public struct SortRank: Sendable {
    let values: [MessageSorter.Value]
    public let number: UInt32
}

/// The sent date (RFC 5256 §2.2), in seconds since 1970: Date:, or where that is missing or unreadable the internal date.
enum SentDate {
    static func of(_ message: some SearchableMessage) throws -> Int64 {
        if let field = try message.fields("Date").first, let date = MailDate(parsing: field.rawValue) { return date.unixTime }
        return message.internalDate.unixTime
    }
}
