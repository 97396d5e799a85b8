import InternetMessage

/// Evaluates a search against one message after another (RFC 3501 §6.4.4).
///
/// Made once per command: number sets are resolved and texts folded here, and in a conjunction the cheap keys come first.
public struct SearchEvaluator: Sendable {
    indirect enum Node: Sendable {
        case all
        case flag(Flag), recent
        case and([Node]), or(Node, Node), not(Node)
        case sequence([ClosedRange<UInt32>]), uid([ClosedRange<UInt32>])
        case internalDay(@Sendable (SearchDay) -> Bool)
        case sentDay(@Sendable (SearchDay) -> Bool)
        /// Seconds since 1970 that the internal date must be at least, or at most.
        case arrivedSince(Int64), arrivedUntil(Int64)
        case larger(UInt64), smaller(UInt64)
        case header(String, SearchNeedle)
        case body(SearchNeedle), text(SearchNeedle)
        case modSequence(UInt64)
        case savedDay(@Sendable (SearchDay) -> Bool)
        case emailID(String)
        case nothing
    }

    private let root: Node

    /// - Parameters:
    ///   - messageCount: what `*` means in sequence numbers.
    ///   - largestUID: what `*` means in UIDs.
    ///   - now: seconds since 1970, for YOUNGER and OLDER.
    public init(_ key: SearchKey, messageCount: UInt32, largestUID: UInt32, now: Int64) {
        root = Compiler(messageCount: messageCount, largestUID: largestUID, now: now).node(key)
    }

    /// Whether it may have to read headers or content.
    public var readsMessages: Bool { root.cost >= Node.headerCost }

    /// Whether the message fulfils the search. Blocks when ``readsMessages`` and the message is in a file.
    /// - Throws: what reading the message throws.
    public func matches(_ message: some SearchableMessage) throws -> Bool { try Self.holds(root, message) }

    private static func holds(_ node: Node, _ message: some SearchableMessage) throws -> Bool {
        switch node {
        case .all: true
        case .flag(let flag): message.hasFlag(flag)
        case .recent: message.isRecent
        case .and(let nodes): try nodes.allSatisfy { try holds($0, message) }
        case .or(let a, let b): try holds(a, message) || holds(b, message)
        case .not(let inner): try !holds(inner, message)
        case .sequence(let ranges): contains(ranges, message.sequenceNumber)
        case .uid(let ranges): contains(ranges, message.uid)
        case .internalDay(let test): test(SearchDay(message.internalDate))
        case .sentDay(let test): try sentDay(message).map(test) ?? false
        case .arrivedSince(let time): message.internalDate.unixTime >= time
        case .arrivedUntil(let time): message.internalDate.unixTime <= time
        case .larger(let size): message.size > size
        case .smaller(let size): message.size < size
        case .header(let name, let text):
            try message.mayContain(text, in: .header) && message.fields(name).contains { TextSearch.field($0, contains: text) }
        case .body(let text): try isInBody(text, message)
        case .modSequence(let least): message.modSequence >= least
        case .savedDay(let test): message.saveDate.map { test(SearchDay($0)) } ?? false
        case .emailID(let id): try message.emailID() == id
        case .nothing: false
        case .text(let text): try isInHeader(text, message) || isInBody(text, message)
        }
    }

    private static func isInHeader(_ text: SearchNeedle, _ message: some SearchableMessage) throws -> Bool {
        try message.mayContain(text, in: .header) && message.header().fields.contains { TextSearch.wholeField($0, contains: text) }
    }

    private static func isInBody(_ text: SearchNeedle, _ message: some SearchableMessage) throws -> Bool {
        try message.mayContain(text, in: .body) && message.withContent { TextSearch.body($0, contains: text) }
    }

    private static func sentDay(_ message: some SearchableMessage) throws -> SearchDay? {
        guard let field = try message.fields("Date").first, let date = MailDate(parsing: field.rawValue) else { return nil }
        return SearchDay(date)
    }

    /// The ranges are ascending and disjoint.
    private static func contains(_ ranges: [ClosedRange<UInt32>], _ number: UInt32) -> Bool {
        var low = 0, high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(number)
    }
}

extension SearchDay {
    /// The day that the date's own zone shows.
    public init(_ date: MailDate) { self.init(year: date.year, month: date.month, day: date.day) }
}

extension SearchEvaluator.Node {
    static let headerCost = 10

    /// How much a key may have to read, roughly.
    var cost: Int {
        switch self {
        case .and(let nodes): nodes.map(\.cost).max() ?? 0
        case .or(let a, let b): max(a.cost, b.cost)
        case .not(let inner): inner.cost
        case .header, .sentDay: Self.headerCost
        case .body, .text, .emailID: 100
        default: 1
        }
    }
}

/// Turns keys into what is evaluated per message.
private struct Compiler {
    let messageCount: UInt32
    let largestUID: UInt32
    let now: Int64

    func node(_ key: SearchKey) -> SearchEvaluator.Node {
        switch key {
        case .all: .all
        case .flag(let flag): .flag(flag)
        case .recent: .recent
        case .and(let keys): .and(keys.map(node).enumerated().sorted { ($0.element.cost, $0.offset) < ($1.element.cost, $1.offset) }.map(\.element))
        case .or(let a, let b): or(node(a), node(b))
        case .not(let inner): .not(node(inner))
        case .sequence(let set): .sequence(set.ranges(largest: messageCount))
        case .uid(let set): .uid(set.ranges(largest: largestUID))
        case .before(let day): .internalDay { $0 < day }
        case .on(let day): .internalDay { $0 == day }
        case .since(let day): .internalDay { $0 >= day }
        case .sentBefore(let day): .sentDay { $0 < day }
        case .sentOn(let day): .sentDay { $0 == day }
        case .sentSince(let day): .sentDay { $0 >= day }
        case .younger(let seconds): .arrivedSince(now - Int64(seconds))
        case .older(let seconds): .arrivedUntil(now - Int64(seconds))
        case .larger(let size): .larger(size)
        case .smaller(let size): .smaller(size)
        case .header(let name, let text): .header(name, SearchNeedle(text))
        case .body(let text): .body(SearchNeedle(text))
        case .text(let text): .text(SearchNeedle(text))
        case .modSequence(let least): .modSequence(least)
        case .savedBefore(let day): .savedDay { $0 < day }
        case .savedOn(let day): .savedDay { $0 == day }
        case .savedSince(let day): .savedDay { $0 >= day }
        case .emailID(let id): .emailID(id)
        // There are no threads that last (RFC 8474 §5.2).
        case .threadID: .nothing
        }
    }

    private func or(_ a: SearchEvaluator.Node, _ b: SearchEvaluator.Node) -> SearchEvaluator.Node { a.cost <= b.cost ? .or(a, b) : .or(b, a) }
}
