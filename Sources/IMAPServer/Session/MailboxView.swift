import IMAPCore
import MailStore

/// A selected mailbox as the client was told it: its numbering (RFC 3501 §2.3.1.2). It changes only when the client
/// hears of it. Pure: snapshots in, changes out.
struct MailboxView {
    enum Change: Equatable {
        /// A message is gone; the number is the one it had, given what was reported before.
        case expunge(UInt32)
        case exists(UInt32)
        case recent(UInt32)
        /// The folder's keywords changed.
        case flagList
        /// The flags of the message at this index changed.
        case flags(index: Int)
    }

    /// Ascending by UID; sequence number n is at n - 1. May hold messages that are gone but not reported yet.
    private(set) var messages: [StoredMessage]
    private(set) var snapshot: MailboxSnapshot
    private(set) var recent: Set<UInt32>
    private var reportedRecent: Int

    init(_ snapshot: MailboxSnapshot, recent: Set<UInt32>) {
        self.snapshot = snapshot
        self.recent = recent
        messages = snapshot.messages
        reportedRecent = recent.count
    }

    /// Takes in what happened.
    /// - Parameters:
    ///   - newRecent: messages for which this session is the one to see `\Recent`.
    ///   - mayExpunge: false while answering FETCH, STORE or SEARCH with sequence numbers (RFC 3501 §7.4.1).
    /// - Returns: what to report, in this order.
    mutating func update(to fresh: MailboxSnapshot, newRecent: some Sequence<UInt32>, mayExpunge: Bool) -> [Change] {
        var changes: [Change] = fresh.keywordNames == snapshot.keywordNames ? [] : [.flagList]
        let highest = messages.last?.uid ?? 0
        let oldSnapshot = snapshot
        snapshot = fresh
        recent.formUnion(newRecent)
        let hasNewRecent = recent.count != reportedRecent
        if mayExpunge { changes += removeGone() }
        let flagChanges = takeFlags(keywordsMoved: oldSnapshot.keywordNames != fresh.keywordNames, old: oldSnapshot)
        let arrived = fresh.messages.suffix(while: { $0.uid > highest })
        messages += arrived
        if !arrived.isEmpty { changes.append(.exists(UInt32(messages.count))) }
        // What was expunged a client subtracts by itself.
        if hasNewRecent || !arrived.isEmpty { changes.append(.recent(UInt32(recent.count))) }
        reportedRecent = recent.count
        return changes + flagChanges
    }

    private mutating func removeGone() -> [Change] {
        let live = Set(snapshot.messages.map(\.uid))
        guard messages.contains(where: { !live.contains($0.uid) }) else { return [] }
        var changes: [Change] = []
        // From the end, so that no number shifts before it is reported.
        for index in messages.indices.reversed() where !live.contains(messages[index].uid) {
            changes.append(.expunge(UInt32(index + 1)))
            recent.remove(messages[index].uid)
        }
        messages.removeAll { !live.contains($0.uid) }
        return changes
    }

    private mutating func takeFlags(keywordsMoved: Bool, old: MailboxSnapshot) -> [Change] {
        var changes: [Change] = []
        var position = 0
        for index in messages.indices {
            while position < snapshot.messages.count, snapshot.messages[position].uid < messages[index].uid { position += 1 }
            guard position < snapshot.messages.count, snapshot.messages[position].uid == messages[index].uid else { continue }
            let current = snapshot.messages[position]
            if !current.hasSameFlags(as: messages[index]) || (keywordsMoved && snapshot.keywords(of: current) != old.keywords(of: messages[index])) {
                changes.append(.flags(index: index))
            }
            messages[index] = current
        }
        return changes
    }

    /// The client knows these flags already (STORE with `.SILENT`, or an answer that named them).
    mutating func markReported(_ fresh: MailboxSnapshot, uids: [UInt32]) {
        for uid in uids {
            if let index = index(ofUID: uid), let current = fresh.message(withUID: uid) { messages[index] = current }
        }
    }

    /// Indices that a set means; nil when it names a sequence number that does not exist, which is BAD (RFC 3501 §9 seq-number).
    func indices(in set: SequenceSet, _ numbering: Numbering) -> [Int]? {
        switch numbering {
        case .sequence:
            let count = UInt32(messages.count)
            guard !set.exceeds(count) else { return nil }
            return set.ranges(largest: count).flatMap { range in range.map { Int($0) - 1 } }
        case .uid:
            return set.ranges(largest: messages.last?.uid ?? 0).flatMap { range in
                let first = lowerBound(range.lowerBound)
                return messages[first...].prefix { $0.uid <= range.upperBound }.indices
            }
        }
    }

    func index(ofUID uid: UInt32) -> Int? {
        let index = lowerBound(uid)
        return index < messages.count && messages[index].uid == uid ? index : nil
    }

    func flags(of message: StoredMessage) -> [Flag] {
        FlagMapping.flags(message.flags, keywords: snapshot.keywords(of: message)) + (recent.contains(message.uid) ? [.recent] : [])
    }

    private func lowerBound(_ uid: UInt32) -> Int {
        var low = 0, high = messages.count
        while low < high {
            let middle = (low + high) / 2
            if messages[middle].uid < uid { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Array {
    /// The longest end of which every element fulfils the condition.
    fileprivate func suffix(while condition: (Element) -> Bool) -> ArraySlice<Element> {
        var start = endIndex
        while start > startIndex, condition(self[start - 1]) { start -= 1 }
        return self[start...]
    }
}
