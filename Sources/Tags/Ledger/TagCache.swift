import NetworkAddress

/// What the decision path needs of a tag.
struct TagEntry: Sendable, Hashable {
    let id: Int64
    var state: TagRecord.State
    var owners: [TagOwner]
    /// Domains that the tag's owner has refused: never owners, always leaks.
    var refused: Set<DomainName> = []

    func isOwned(by domain: DomainName) -> Bool { owners.contains { $0.domain == domain } }
}

/// Entries used lately, absent ones too (a stranger tries many names). Two generations: when the young one is full it
/// becomes the old one and the old one goes, so memory is bounded and what is in use stays.
struct TagCache {
    private let limit: Int
    private var young: [TagAddress: TagEntry?] = [:]
    private var old: [TagAddress: TagEntry?] = [:]

    /// - Parameter limit: entries at the most, both generations together.
    init(limit: Int) { self.limit = max(2, limit) }

    var count: Int { young.count + old.count }

    /// nil: not cached. `.some(nil)`: known not to be in the ledger.
    mutating func find(_ tag: TagAddress) -> TagEntry?? {
        if let entry = young[tag] { return .some(entry) }
        guard let entry = old.removeValue(forKey: tag) else { return nil }
        put(tag, entry)
        return .some(entry)
    }

    mutating func put(_ tag: TagAddress, _ entry: TagEntry?) {
        old.removeValue(forKey: tag)
        young[tag] = .some(entry)
        guard young.count >= limit / 2 else { return }
        old = young
        young = [:]
    }

    mutating func removeAll() {
        young.removeAll()
        old.removeAll()
    }
}
