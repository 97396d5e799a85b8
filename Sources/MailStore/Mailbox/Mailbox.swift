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
    private let account: Mailboxes
    private let observers = Mutex<(next: UInt64, callbacks: [UInt64: @Sendable () -> Void])>((0, [:]))

    init(name: FolderName, paths: MailboxPaths, validities: UIDValidities, syncs: FolderSync, uniqueNames: UniqueName, account: Mailboxes) {
        self.name = name
        self.paths = paths
        self.syncs = syncs
        self.uniqueNames = uniqueNames
        self.account = account
        state = Mutex(MailboxState(paths: paths, validities: validities))
    }

    /// The folder as it is now, changes by other programs included. Blocks.
    /// - Throws: ``StoreError/noSuchMailbox(_:)`` when it was removed.
    public func refresh() throws(StoreError) -> MailboxSnapshot {
        try changing { state throws(StoreError) in
            try state.refresh()
            return state.snapshot
        }
    }

    /// What was known at the last look; never touches the disk.
    public var lastSnapshot: MailboxSnapshot { state.withLock { $0.snapshot } }

    /// Calls back, on an arbitrary thread and without any lock held, after each change this process makes or finds.
    /// Keep it short: wake something up.
    public func observe(_ callback: @escaping @Sendable () -> Void) -> ObservationToken {
        observers.withLock {
            $0.next += 1
            $0.callbacks[$0.next] = callback
            return ObservationToken(id: $0.next)
        }
    }

    public func removeObserver(_ token: ObservationToken) {
        observers.withLock { _ = $0.callbacks.removeValue(forKey: token.id) }
    }

    /// Names one observer.
    public struct ObservationToken: Sendable, Hashable {
        let id: UInt64
    }

    /// A delivery by this process put something into the folder.
    func noteChange() {
        for callback in observers.withLock({ Array($0.callbacks.values) }) { callback() }
    }

    /// Runs the work under the lock, then tells the observers if the generation moved.
    func changing<Value: Sendable>(_ work: (inout MailboxState) throws(StoreError) -> Value) throws(StoreError) -> Value {
        let (result, moved) = state.withLock { state -> (Result<Value, StoreError>, Bool) in
            let before = state.snapshot.generation
            do throws(StoreError) {
                let value = try work(&state)
                return (.success(value), state.snapshot.generation != before)
            } catch { return (.failure(error), state.snapshot.generation != before) }
        }
        if moved { noteChange() }
        return try result.get()
    }
}
