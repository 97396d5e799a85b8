import Synchronization

/// Keeps what is known of the folders that were used last, so that the next client need not wait until a large one is
/// read again. Bounded by the messages in them: each costs some 140 octets.
final class RecentMailboxes: Sendable {
    private static let mostFolders = 256
    private static let mostMessages = 400_000

    /// The one used last at the end.
    private let kept = Mutex<[Mailbox]>([])
    private let isOver = Atomic(false)

    func keep(_ mailbox: Mailbox) {
        guard !isOver.load(ordering: .relaxed) else { return }
        let dropped = kept.withLock { kept -> [Mailbox] in
            if kept.last === mailbox { return [] }
            kept.removeAll { $0 === mailbox }
            kept.append(mailbox)
            var messages = 0, first = kept.count
            while first > 0, kept.count - first < Self.mostFolders {
                messages += kept[first - 1].knownCount
                if messages > Self.mostMessages, first < kept.count { break }
                first -= 1
            }
            defer { kept.removeFirst(first) }
            return Array(kept[..<first])
        }
        // Let go of outside of the lock.
        withExtendedLifetime(dropped) {}
    }

    /// The store is gone. They hold each other: whoever is kept here holds its account's folders, and those hold this.
    func end() {
        isOver.store(true, ordering: .relaxed)
        let dropped = kept.withLock { kept in
            defer { kept = [] }
            return kept
        }
        withExtendedLifetime(dropped) {}
    }

    func forget(_ mailbox: Mailbox) { kept.withLock { $0.removeAll { $0 === mailbox } } }
}
