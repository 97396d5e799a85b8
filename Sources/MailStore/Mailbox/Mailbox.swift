import Synchronization

/// One folder, shared by everything in the process that looks at it. Every method blocks on files: call them on the
/// blocking pool. Thread-safe; other programs (Dovecot, mutt, delivery agents) may work on the same folder meanwhile.
public final class Mailbox: Sendable {
    public let name: FolderName
    let paths: MailboxPaths
    let syncs: FolderSync
    let uniqueNames: UniqueName
    let state: Mutex<MailboxState>
    /// Kept alive by its folders, so that an account has one table of shared folders as long as any is in use.
    let account: Mailboxes
    /// nil: nothing is indexed here.
    let indexes: MailIndexes?
    /// Messages at the last look.
    private let messageCount = Atomic<Int>(0)
    private let observers = Mutex<(next: UInt64, callbacks: [UInt64: @Sendable () -> Void])>((0, [:]))

    init(
        name: FolderName, paths: MailboxPaths, validities: UIDValidities, syncs: FolderSync, uniqueNames: UniqueName, indexes: MailIndexes?, watcher: FolderWatcher?,
        account: Mailboxes
    ) {
        self.name = name
        self.paths = paths
        self.syncs = syncs
        self.uniqueNames = uniqueNames
        self.indexes = indexes
        self.account = account
        let changed = Weak()
        state = Mutex(MailboxState(paths: paths, validities: validities) { watcher?.watch(paths) { changed.mailbox.withLock { $0.value }?.noteChange() } })
        changed.mailbox.withLock { $0.value = self }
    }

    /// The folder as it is now, changes by other programs included. Blocks.
    /// - Throws: ``StoreError/noSuchMailbox(_:)`` when it was removed.
    public func refresh() throws(StoreError) -> MailboxSnapshot {
        try changing { state throws(StoreError) in
            try state.refresh()
            state.settleModSequences()
            return state.snapshot
        }
    }

    /// What was known at the last look; never touches the disk.
    public var lastSnapshot: MailboxSnapshot { state.withLock { $0.snapshot } }

    /// Calls back, on an arbitrary thread and without any lock held, after each change this process makes or finds.
    /// Keep it short: wake something up.
    public func observe(_ callback: @escaping @Sendable () -> Void) -> ObservationToken {
        defer { indexes?.fill(self) }
        return observers.withLock {
            $0.next += 1
            $0.callbacks[$0.next] = callback
            return ObservationToken(id: $0.next)
        }
    }

    public func removeObserver(_ token: ObservationToken) {
        observers.withLock { _ = $0.callbacks.removeValue(forKey: token.id) }
    }

    var knownCount: Int { messageCount.load(ordering: .relaxed) }

    /// Names one observer.
    public struct ObservationToken: Sendable, Hashable {
        let id: UInt64
    }

    /// A delivery by this process put something into the folder.
    func noteChange() {
        let callbacks = observers.withLock { Array($0.callbacks.values) }
        for callback in callbacks { callback() }
        // Folders that nobody looks at are indexed when somebody does.
        if !callbacks.isEmpty { indexes?.fill(self) }
    }

    /// Runs the work under the lock, then tells the observers if the generation moved.
    func changing<Value: Sendable>(_ work: (inout MailboxState) throws(StoreError) -> Value) throws(StoreError) -> Value {
        let (result, moved) = state.withLock { state -> (Result<Value, StoreError>, Bool) in
            let before = state.snapshot.generation
            do throws(StoreError) {
                let value = try work(&state)
                state.settleModSequences()
                return (.success(value), state.snapshot.generation != before)
            } catch { return (.failure(error), state.snapshot.generation != before) }
        }
        if moved {
            messageCount.store(lastSnapshot.messages.count, ordering: .relaxed)
            noteChange()
        }
        return try result.get()
    }
}

/// For callbacks that must not keep a folder alive.
private final class Weak: Sendable {
    struct Reference: Sendable { weak var value: Mailbox? }
    let mailbox = Mutex(Reference())
}
