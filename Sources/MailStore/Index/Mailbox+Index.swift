// What the folder's index knows. Whoever asks must be content with nothing: small folders have no index, a large one's
// may not be filled yet, and a file of it that cannot be used counts as none.
extension Mailbox {
    /// Summaries of messages in the range, by UID. Blocks.
    public func summaries(_ uids: ClosedRange<UInt32>) -> [UInt32: IndexedSummary] {
        guard let index = index(for: lastSnapshot) else { return [:] }
        do { return try index.summaries(uids) } catch {
            discard(index, because: error)
            return [:]
        }
    }

    /// Which texts occur in the messages. nil: only the files tell. Blocks.
    public func indexedTexts() -> IndexedTexts? { index(for: lastSnapshot).map { IndexedTexts($0, discard: { [self] in discard($0, because: $1) }) } }

    /// Whether each message has its row, so that nothing needs to be read. Blocks.
    public var isIndexed: Bool {
        let snapshot = lastSnapshot
        guard let known = index(for: snapshot)?.knownMessages else { return false }
        return snapshot.messages.allSatisfy { known.contains($0.uid) }
    }

    func index(for snapshot: MailboxSnapshot) -> MessageIndex? {
        guard let indexes, snapshot.messages.count >= indexes.smallest, let path = account.indexPath(snapshot) else { return nil }
        return indexes.index(at: path, snapshot)
    }

    func discard(_ index: MessageIndex, because error: any Error) { indexes?.discard(index, because: error) }

    /// Reads a message for the index. One that cannot be read gets a row that says nothing; nil when it is gone.
    func indexEntry(of message: StoredMessage) -> IndexEntry? {
        guard let details = try? details(of: [message.uid]).first else { return nil }
        let summary = (try? open(uid: message.uid)).flatMap { try? indexes?.summarizer.summary(of: $0) }
        return IndexEntry(uid: message.uid, base: message.base, size: details.size, internalDate: details.internalDate, summary: summary ?? MessageSummary())
    }
}

/// Which texts occur in a folder's messages, as far as its index knows. For one search.
public final class IndexedTexts {
    private let index: MessageIndex
    private let discard: (MessageIndex, any Error) -> Void
    private let known: MessageIndex.Known
    private var answers: [Question: [UInt32]?] = [:]

    private struct Question: Hashable {
        let place: IndexedPlace
        let pattern: [UInt8]
    }

    init(_ index: MessageIndex, discard: @escaping (MessageIndex, any Error) -> Void) {
        self.index = index
        self.discard = discard
        known = index.knownMessages
    }

    /// False only when the text does surely not occur there. Blocks.
    /// - Parameter pattern: as the maker of the summaries folds texts, in UTF-8.
    public func mayContain(_ pattern: [UInt8], in place: IndexedPlace, uid: UInt32) -> Bool {
        guard let found = answer(Question(place: place, pattern: pattern)) else { return true }
        return found.holdsSorted(uid) || !known.contains(uid) || known.partial.contains(uid)
    }

    private func answer(_ question: Question) -> [UInt32]? {
        if let known = answers[question] { return known }
        var found: [UInt32]?
        do { found = try index.candidates(question.place, question.pattern) } catch { discard(index, error) }
        answers[question] = .some(found)
        return found
    }
}
