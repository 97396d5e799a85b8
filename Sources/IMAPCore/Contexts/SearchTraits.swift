/// On what a search depends beside the messages that are there: when a context has to look again (RFC 5267 §4.3).
public struct SearchTraits: Sendable, Hashable {
    /// Flags, `\Recent` or mod-sequences.
    public private(set) var changesWithFlags = false
    /// `*` in a set of UIDs: another message when the last one comes or goes.
    public private(set) var namesLargestUID = false
    /// Seconds of YOUNGER and OLDER, which time changes (RFC 5032 §2).
    public private(set) var intervals: [UInt32] = []

    public init(_ key: SearchKey) { take(key) }

    private mutating func take(_ key: SearchKey) {
        switch key {
        case .flag, .recent, .modSequence: changesWithFlags = true
        case .uid(let set): if set.elements.contains(where: { $0.first == .largest || $0.last == .largest }) { namesLargestUID = true }
        case .younger(let seconds), .older(let seconds): intervals.append(seconds)
        case .and(let keys): for key in keys { take(key) }
        case .or(let a, let b):
            take(a)
            take(b)
        case .not(let inner): take(inner)
        default: break
        }
    }
}

extension SearchKey {
    /// With UIDs in the place of sequence numbers: RFC 5267 §4.3, these are evaluated when the command comes, whatever they
    /// come to mean. UIDs between two neighbours are never given again, so a range stays a range.
    /// - Parameter uid: of the message at an index below `count`.
    public func fixingSequences(count: Int, uid: (Int) -> UInt32) -> SearchKey {
        switch self {
        case .sequence(let set) where !set.isSaved:
            let ranges = set.ranges(largest: UInt32(count)).filter { $0.lowerBound <= count }
                .map { uid(Int($0.lowerBound) - 1)...uid(min(Int($0.upperBound), count) - 1) }
            return ranges.isEmpty ? .not(.all) : .uid(SequenceSet(ranges))
        case .and(let keys): return .and(keys.map { $0.fixingSequences(count: count, uid: uid) })
        case .or(let a, let b): return .or(a.fixingSequences(count: count, uid: uid), b.fixingSequences(count: count, uid: uid))
        case .not(let key): return .not(key.fixingSequences(count: count, uid: uid))
        default: return self
        }
    }
}
