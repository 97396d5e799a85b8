import IMAPCore
import MailStore

/// A selected mailbox as the client was told it: its numbering (RFC 3501 §2.3.1.2). It changes only when the client
/// hears of it. Pure: snapshots in, changes out.
struct MailboxView {
    enum Change: Equatable {
        /// A message is gone; the number is the one it had, given what was reported before.
        case expunge(UInt32, uid: UInt32)
        case exists(UInt32)
        case recent(UInt32)
        /// The folder's keywords changed.
        case flagList
        /// The flags of the message at this index changed.
        case flags(index: Int)
    }

    /// Ascending by UID; sequence number n is at n - 1. May hold messages that are gone but not reported yet.
    private(set) var messages: MessageList
    private(set) var snapshot: MailboxSnapshot
    private(set) var recent: Set<UInt32>
    /// Messages that are gone but not reported yet, ascending.
    private(set) var missing: [UInt32] = []
    /// Whether the session speaks of `\Recent` (RFC 9051 knows it no more).
    private let showsRecent: Bool
    private var reportedRecent: Int

    init(_ snapshot: MailboxSnapshot, recent: Set<UInt32>, showsRecent: Bool = true) {
        self.showsRecent = showsRecent
        self.snapshot = snapshot
        self.recent = recent
        messages = snapshot.messages
        reportedRecent = recent.count
    }

    /// Takes in what happened.
    /// - Parameters:
    ///   - newRecent: messages for which this session is the one to see `\Recent`.
    ///   - mayExpunge: false while answering FETCH, STORE or SEARCH with sequence numbers (RFC 3501 §7.4.1).
    ///   - mayAdd: false for a client that wants to hear of no new messages (RFC 5465 §3.1).
    ///   - countsModSequences: whether flags that were changed and changed back are a change (RFC 7162 §3.1).
    /// - Returns: what to report, in this order.
    mutating func update(
        to fresh: MailboxSnapshot, newRecent: some Sequence<UInt32>, mayExpunge: Bool, mayAdd: Bool = true, countsModSequences: Bool = false
    ) -> [Change] {
        let keywordsMoved = fresh.keywordNames != snapshot.keywordNames
        var changes: [Change] = keywordsMoved ? [.flagList] : []
        let highest = messages.last?.uid ?? 0, old = messages, oldSnapshot = snapshot
        snapshot = fresh
        missing = []
        recent.formUnion(newRecent)
        let hasNewRecent = recent.count != reportedRecent
        var gone: [(index: Int, uid: UInt32)] = [], touched: [UInt32] = [], arrived = 0, isWhole = true
        fresh.messages.differences(from: old) { difference in
            switch difference {
            case .gone(let index, let message):
                if mayExpunge { gone.append((index, message.uid)) } else {
                    isWhole = false
                    missing.append(message.uid)
                }
            case .changed(let index, _, let message):
                let isTouched = countsModSequences && message.modSequence != old[index].modSequence
                if isTouched || !message.hasSameFlags(as: old[index]) { touched.append(message.uid) }
                messages.replace(at: index, with: message)
            // One that came back below others would shift their numbers: it shows when the folder is opened again.
            case .arrived(_, let message):
                guard mayAdd, message.uid > highest else { isWhole = false; return }
                arrived += 1
                messages.insert(message)
            }
        }
        // From the end, so that no number shifts before it is reported.
        changes += gone.reversed().map { .expunge(UInt32($0.index + 1), uid: $0.uid) }
        messages.remove(gone.map(\.uid))
        for (_, uid) in gone { recent.remove(uid) }
        if keywordsMoved { touched = renamedKeywords(touched, oldSnapshot) }
        // The same messages: from now on their storage is shared, and the next comparison quick.
        if isWhole { messages = fresh.messages }
        let flagChanges = touched.compactMap { index(ofUID: $0).map { Change.flags(index: $0) } }
        guard mayAdd else { return changes + flagChanges }
        if arrived > 0 { changes.append(.exists(UInt32(messages.count))) }
        // What was expunged a client subtracts by itself.
        if showsRecent, hasNewRecent || arrived > 0 { changes.append(.recent(UInt32(recent.count))) }
        reportedRecent = recent.count
        return changes + flagChanges
    }

    /// A letter that got another name changes the keywords of every message that has it.
    private func renamedKeywords(_ touched: [UInt32], _ old: MailboxSnapshot) -> [UInt32] {
        let known = Set(touched)
        return messages.filter { known.contains($0.uid) || snapshot.keywords(of: $0) != old.keywords(of: $0) }.map(\.uid)
    }

    /// The client knows these flags already (STORE with `.SILENT`, or an answer that named them).
    mutating func markReported(_ fresh: MailboxSnapshot, uids: [UInt32]) {
        for uid in uids {
            if let index = index(ofUID: uid), let current = fresh.message(withUID: uid) { messages.replace(at: index, with: current) }
        }
    }

    /// Indices that a set means; nil when it names a sequence number that does not exist, which is BAD (RFC 3501 §9 seq-number).
    /// - Parameter saved: UIDs that `$` stands for (RFC 5182).
    func indices(in set: SequenceSet, _ numbering: Numbering, saved: [UInt32] = []) -> [Int]? {
        if set.isSaved { return saved.compactMap { index(ofUID: $0) } }
        switch numbering {
        case .sequence:
            let count = UInt32(messages.count)
            guard !set.exceeds(count) else { return nil }
            return set.ranges(largest: count).flatMap { range in range.map { Int($0) - 1 } }
        case .uid:
            return set.ranges(largest: messages.last?.uid ?? 0).flatMap { range in
                let end = range.upperBound == .max ? messages.count : messages.lowerBound(range.upperBound + 1)
                return messages.lowerBound(range.lowerBound)..<end
            }
        }
    }

    func index(ofUID uid: UInt32) -> Int? { messages.index(ofUID: uid) }

    func flags(of message: StoredMessage) -> [Flag] {
        FlagMapping.flags(message.flags, keywords: snapshot.keywords(of: message)) + (showsRecent && recent.contains(message.uid) ? [.recent] : [])
    }
}

/// The UIDs behind a view's changes.
struct MailboxNews {
    private(set) var touched: [UInt32] = []
    /// Told of with EXISTS, ascending.
    let arrived: [UInt32]
    /// Also where EXPUNGE has to wait.
    private(set) var gone: Set<UInt32>
    /// Were gone, with the EXPUNGE still to come, and are there again.
    private(set) var returned: Set<UInt32> = []

    init(_ changes: [MailboxView.Change], _ told: MailboxView, _ now: MailboxView) {
        gone = Set(now.missing)
        let highest = told.messages.last?.uid ?? 0
        arrived = highest == .max ? [] : now.messages[now.messages.lowerBound(highest + 1)..<now.messages.count].map(\.uid)
        for change in changes {
            switch change {
            case .flags(let index): touched.append(now.messages[index].uid)
            case .expunge(_, let uid): gone.insert(uid)
            case .exists, .recent, .flagList: break
            }
        }
        returned = Set(told.missing).subtracting(gone)
    }
}
