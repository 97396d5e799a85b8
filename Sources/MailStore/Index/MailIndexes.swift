#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif
import Synchronization

/// The indexes of all folders in use: opened when something is asked of them, a bounded number of them at a time.
final class MailIndexes: Sendable {
    /// Each open index costs three files and some memory.
    private static let openAtMost = 32

    let summarizer: any MessageSummarizer
    /// Folders smaller than this have none.
    let smallest: Int
    private let table = Mutex(Table())
    private let filler = IndexFiller()

    private struct Table: Sendable {
        /// The one that was asked last at the end.
        var open: [MessageIndex] = []
        /// Not tried again by this process: a full disk, a folder that may not be written.
        var unusable: Set<String> = []
    }

    init(summarizer: any MessageSummarizer, smallest: Int) {
        self.summarizer = summarizer
        self.smallest = smallest
    }

    /// The index in that file; nil when it cannot be used. Blocks.
    func index(at path: String, _ snapshot: MailboxSnapshot) -> MessageIndex? {
        table.withLock { table in
            guard !table.unusable.contains(path) else { return nil }
            if let position = table.open.firstIndex(where: { $0.path == path }) {
                let found = table.open.remove(at: position)
                table.open.append(found)
                return found
            }
            let version = IndexDatabase.version * 1000 + summarizer.version
            guard mkdir(Files.parent(of: path), 0o700) == 0 || errno == EEXIST,
                let made = try? MessageIndex(path: path, version: version, uidValidity: snapshot.uidValidity, live: snapshot.messages) else {
                table.unusable.insert(path)
                return nil
            }
            table.open.append(made)
            // Whoever uses it now keeps it open until then.
            if table.open.count > Self.openAtMost { table.open.removeFirst() }
            return made
        }
    }

    /// The index failed. One that somebody emptied is opened again when it is wanted; another is removed, and this
    /// process does without: what is wrong with the disk would be wrong with the next one too.
    func discard(_ index: MessageIndex, because error: any Error) {
        table.withLock { table in
            guard let position = table.open.firstIndex(where: { $0 === index }) else { return }
            table.open.remove(at: position)
            index.close()
            guard !(error is MessageIndex.Emptied) else { return }
            IndexDatabase.remove(index.path)
            table.unusable.insert(index.path)
        }
    }

    /// The folder is gone.
    func remove(at path: String) {
        table.withLock { table in
            for index in table.open where index.path == path { index.close() }
            table.open.removeAll { $0.path == path }
            IndexDatabase.remove(path)
        }
    }

    /// Has what the folder's index lacks added, soon and beside everything else.
    func fill(_ mailbox: Mailbox) { filler.add(mailbox) }
}
