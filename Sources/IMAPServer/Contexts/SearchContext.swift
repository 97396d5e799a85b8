import IMAPCore

/// A searching command whose client hears how its result changes (RFC 5267 §4.3).
struct SearchContext {
    let tag: String
    let numbering: Numbering
    /// nil: a SEARCH.
    let sorter: MessageSorter?
    /// What to FETCH of messages that arrive and match (RFC 5465 §7).
    let attributes: [FetchAttribute]
    let traits: SearchTraits
    /// As the client has it.
    var list: ResultList
    private let key: SearchKey
    private(set) var evaluator: SearchEvaluator
    /// What `*` means in UIDs, and when it was last asked how old messages are.
    private(set) var largestUID: UInt32
    private(set) var evaluated: Int64

    /// - Parameter key: with UIDs in the place of `$` and of sequence numbers.
    init(
        tag: String, _ numbering: Numbering, _ key: SearchKey, criteria: [SortCriterion]?, attributes: [FetchAttribute], largestUID: UInt32, now: Int64
    ) {
        self.tag = tag
        self.numbering = numbering
        self.key = key
        sorter = criteria.map { MessageSorter($0) }
        self.attributes = attributes
        self.largestUID = largestUID
        evaluated = now
        traits = SearchTraits(key)
        list = ResultList([], isSorted: sorter != nil)
        evaluator = Self.evaluator(key, largestUID, now)
    }

    mutating func evaluate(largestUID: UInt32, now: Int64) {
        self.largestUID = largestUID
        evaluated = now
        evaluator = Self.evaluator(key, largestUID, now)
    }

    private static func evaluator(_ key: SearchKey, _ largestUID: UInt32, _ now: Int64) -> SearchEvaluator {
        SearchEvaluator(key, messageCount: 0, largestUID: largestUID, now: now)
    }
}

/// The contexts of the selected mailbox. They end with its selection.
struct SearchContexts {
    /// §4.3.1: at least one; each is asked about every change.
    static let limit = 16
    /// Numbers that all results together may hold: four octets each. One context may always be.
    static let memberLimit = 1_000_000

    private(set) var all: [SearchContext] = []
    /// Messages whose flags changed without a FETCH that tells of it: the client did that itself.
    var touched: Set<UInt32> = []
    /// Put into the mailbox by this client: no FETCH tells of them (RFC 5465 §5.2).
    var ownArrivals: Set<UInt32> = []
    /// Messages of which a FETCH is still to come, and with what.
    var arrivals: [UInt32: [FetchAttribute]] = [:]

    var isEmpty: Bool { all.isEmpty }

    func has(_ tag: String) -> Bool { all.contains { $0.tag == tag } }

    /// - Returns: false when there are too many.
    mutating func add(_ context: SearchContext) -> Bool {
        let held = all.reduce(context.list.uids.count) { $0 + $1.list.uids.count }
        guard all.isEmpty || (all.count < Self.limit && held <= Self.memberLimit) else { return false }
        all.append(context)
        return true
    }

    mutating func replace(_ context: SearchContext) {
        if let index = all.firstIndex(where: { $0.tag == context.tag }) { all[index] = context }
    }

    /// - Returns: whether there was one.
    mutating func remove(_ tag: String) -> Bool {
        let count = all.count
        all.removeAll { $0.tag == tag }
        if all.isEmpty { self = SearchContexts() }
        return all.count < count
    }

    mutating func end() { self = SearchContexts() }
}
