import Synchronization

/// What this process did to an account's folders, for those who watch (RFC 5465 §5.4 to §5.7).
public enum FolderEvent: Sendable, Hashable {
    case created(FolderName), deleted(FolderName)
    case renamed(FolderName, to: FolderName)
    case subscribed(FolderName), unsubscribed(FolderName)
    /// nil: the account's own annotations.
    case metadata(FolderName?, entries: [String])
}

/// The last events of an account, and who wants to hear of new ones. Thread-safe.
final class FolderEvents: Sendable {
    /// Who reads more seldom than this many events come has to look for itself.
    static let limit = 256

    private struct State {
        var events: [FolderEvent] = []
        /// The number of the first that is kept.
        var first: UInt64 = 0
        var nextObserver: UInt64 = 0
        var observers: [UInt64: @Sendable () -> Void] = [:]
        var end: UInt64 { first + UInt64(events.count) }
    }

    private let state = Mutex(State())

    func note(_ event: FolderEvent) {
        let observers = state.withLock { state in
            state.events.append(event)
            if state.events.count > Self.limit {
                state.events.removeFirst()
                state.first += 1
            }
            return Array(state.observers.values)
        }
        for observer in observers { observer() }
    }

    var end: UInt64 { state.withLock { $0.end } }

    /// - Returns: nil when some are not kept any more.
    func since(_ position: UInt64) -> (events: [FolderEvent]?, end: UInt64) {
        state.withLock { state in
            guard position >= state.first else { return (nil, state.end) }
            return (Array(state.events.dropFirst(Int(position - state.first))), state.end)
        }
    }

    func observe(_ callback: @escaping @Sendable () -> Void) -> UInt64 {
        state.withLock { state in
            state.nextObserver += 1
            state.observers[state.nextObserver] = callback
            return state.nextObserver
        }
    }

    func removeObserver(_ token: UInt64) { state.withLock { _ = $0.observers.removeValue(forKey: token) } }
}

extension Mailboxes {
    /// Names one observer of the account's folders.
    public struct FolderObservation: Sendable, Hashable {
        let token: UInt64
    }

    /// Calls back, on an arbitrary thread, after each change of folders that this process makes. Keep it short.
    public func observeFolders(_ callback: @escaping @Sendable () -> Void) -> FolderObservation {
        FolderObservation(token: events.observe(callback))
    }

    public func removeFolderObserver(_ observation: FolderObservation) { events.removeObserver(observation.token) }

    /// Where the record of events ends now.
    public var folderEventPosition: UInt64 { events.end }

    /// What happened since a position. Events are nil when some are forgotten already: compare ``list()`` with what was known.
    public func folderEvents(since position: UInt64) -> (events: [FolderEvent]?, end: UInt64) { events.since(position) }
}
