import Foundation
import Synchronization

/// Fills indexes on one thread of low priority, folder after folder, a few messages at a time: nothing that answers a
/// client or takes a delivery waits for it.
final class IndexFiller: Sendable {
    /// Messages of one transaction.
    private static let batch = 64
    private let queue = FillQueue()
    private let isStarted = Atomic<Bool>(false)

    deinit { queue.close() }

    func add(_ mailbox: Mailbox) {
        queue.add(mailbox)
        guard !isStarted.exchange(true, ordering: .relaxed) else { return }
        let queue = queue
        Thread {
            Thread.current.name = "mail-index"
            // On Linux this means the calling thread alone.
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
            while let reference = queue.next() {
                guard let mailbox = reference.mailbox, Self.step(mailbox) else { continue }
                queue.add(mailbox)
            }
        }.start()
    }

    /// Adds some messages.
    /// - Returns: whether there are more.
    private static func step(_ mailbox: Mailbox) -> Bool {
        let snapshot = mailbox.lastSnapshot
        guard let index = mailbox.index(for: snapshot) else { return false }
        let known = index.knownMessages
        let missing = Self.missing(snapshot.messages, known)
        do {
            if missing.isEmpty { try index.forget(Self.gone(snapshot, known)) } else { try index.add(missing.compactMap { mailbox.indexEntry(of: $0) }) }
            return missing.count == Self.batch
        } catch {
            mailbox.discard(index, because: error)
            return false
        }
    }

    /// Both ascending.
    private static func missing(_ live: MessageList, _ known: MessageIndex.Known) -> [StoredMessage] {
        var found: [StoredMessage] = [], position = 0
        for message in live {
            while position < known.uids.count, known.uids[position] < message.uid { position += 1 }
            if position < known.uids.count, known.uids[position] == message.uid { continue }
            found.append(message)
            if found.count == batch { break }
        }
        return found
    }

    private static func gone(_ snapshot: MailboxSnapshot, _ known: MessageIndex.Known) -> [UInt32] {
        known.uids.filter { snapshot.index(ofUID: $0) == nil }
    }
}

/// Folders that wait, each once. `NSCondition` guards the array: `Mutex` has no way to wait.
private final class FillQueue: @unchecked Sendable {
    // Sendable by proof: `waiting` and `closed` are touched only between `condition.lock()` and `unlock()`.
    struct Reference { weak var mailbox: Mailbox? }
    private let condition = NSCondition()
    private var waiting: [Reference] = []
    private var closed = false

    func add(_ mailbox: Mailbox) {
        condition.withLock {
            guard !waiting.contains(where: { $0.mailbox === mailbox }) else { return }
            waiting.removeAll { $0.mailbox == nil }
            waiting.append(Reference(mailbox: mailbox))
            condition.signal()
        }
    }

    /// The next one, waiting for it; nil when the filler is gone.
    func next() -> Reference? {
        condition.withLock {
            while waiting.isEmpty, !closed { condition.wait() }
            return closed ? nil : waiting.removeFirst()
        }
    }

    func close() {
        condition.withLock {
            closed = true
            condition.signal()
        }
    }
}
