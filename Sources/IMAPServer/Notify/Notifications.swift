import IMAPCore
import MailStore
import Synchronization

/// What NOTIFY asked for (RFC 5465), and what the client was told so far.
struct Notifications {
    /// Mailboxes that one client may watch: each is kept in memory.
    static let watchLimit = 1000

    /// nil after NOTIFY NONE.
    let request: NotifyRequest?
    let dirty: DirtyFolders
    /// Folders whose messages are watched.
    var watched: [FolderName: WatchedFolder] = [:]
    /// All folders as they were told, to find what other programs did.
    var known: [FolderName: FolderSummary] = [:]
    /// Up to where the account's events were read.
    var position: UInt64 = 0
    var observation: Mailboxes.FolderObservation?
    /// Done by this client, which need not hear of it (§5).
    var ownEvents: [FolderEvent] = []
    /// Messages that this client put into the selected mailbox: no FETCH tells of them (§5.2).
    var ownArrivals: Set<UInt32> = []
    /// New messages whose FETCH is still to come.
    var arrivals: [UInt32] = []
    private let groups: [(group: NotifyRequest.Group, folders: [FolderName])]

    init(_ request: NotifyRequest?, dirty: DirtyFolders, separator: Character = FolderName.separator) {
        self.request = request
        self.dirty = dirty
        groups = (request?.groups ?? []).filter { !$0.filter.isSelected }.map { group in
            switch group.filter {
            // A name that cannot be a folder's is ignored, as one that does not exist (§3.1).
            case .subtree(let names), .mailboxes(let names): (group, names.compactMap { try? FolderName($0.text, separator: separator) })
            default: (group, [])
            }
        }
    }

    var isActive: Bool { request != nil }
    /// What is told of the selected mailbox's messages.
    var selectedEvents: Set<NotifyRequest.Event> { request?.selected?.events ?? [] }
    var wantsServerMetadata: Bool { groups.contains { $0.group.events.contains(.serverMetadataChange) } }

    /// What is told of a folder that is not the selected one. A group with NONE takes its folders out of all others.
    func events(of name: FolderName, isSubscribed: Bool) -> Set<NotifyRequest.Event> {
        var out: Set<NotifyRequest.Event> = []
        for (group, folders) in groups where Self.matches(group.filter, folders, name, isSubscribed) {
            if group.events.isEmpty { return [] }
            out.formUnion(group.events)
        }
        return out
    }

    private static func matches(_ filter: NotifyRequest.Filter, _ folders: [FolderName], _ name: FolderName, _ isSubscribed: Bool) -> Bool {
        switch filter {
        case .selected, .selectedDelayed: false
        // §6.3: where mail is delivered is not known beforehand, so both are the same.
        case .inboxes, .personal: true
        case .subscribed: isSubscribed
        case .subtree: folders.contains { name == $0 || name.isBelow($0) }
        case .mailboxes: folders.contains(name)
        }
    }
}

/// One folder that is watched without being selected.
struct WatchedFolder {
    let mailbox: Mailbox
    let token: Mailbox.ObservationToken
    var events: Set<NotifyRequest.Event>
    /// As the client knows it.
    var told: FolderState
}

/// What STATUS responses tell of.
struct FolderState: Equatable {
    let messages: Int
    let uidNext: UInt32
    let uidValidity: UInt32
    let highestModSequence: UInt64
    let unseen: Int

    init(_ snapshot: MailboxSnapshot) {
        messages = snapshot.messages.count
        uidNext = snapshot.uidNext
        uidValidity = snapshot.uidValidity
        highestModSequence = snapshot.highestModSequence
        unseen = snapshot.messages.count { !$0.flags.contains(.seen) }
    }

    /// Which items tell a client that knows `told` what it asked to know; empty for none (§5.1 to §5.3).
    func items(since told: FolderState, _ events: Set<NotifyRequest.Event>, usesModSequences: Bool) -> [StatusItem] {
        var items: [StatusItem] = []
        if events.contains(.messageNew), messages != told.messages || uidNext != told.uidNext {
            items += [.messages, .uidNext]
            if usesModSequences { items.append(.highestModSequence) }
        }
        guard events.contains(.flagChange) else { return items }
        if uidValidity != told.uidValidity { items.append(.uidValidity) }
        if usesModSequences, highestModSequence != told.highestModSequence { items += [.uidValidity, .highestModSequence] }
        if unseen != told.unseen { items.append(.unseen) }
        return items.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    func value(_ item: StatusItem) -> StatusValue {
        switch item {
        case .messages: .number(UInt64(messages))
        case .uidNext: .number(UInt64(uidNext))
        case .uidValidity: .number(UInt64(uidValidity))
        case .highestModSequence: .number(highestModSequence)
        default: .number(UInt64(unseen))
        }
    }
}

/// The watched folders that changed since they were last looked at. Filled by observers on any thread.
final class DirtyFolders: Sendable {
    private let names = Mutex<Set<FolderName>>([])

    func insert(_ name: FolderName) { names.withLock { _ = $0.insert(name) } }

    func take() -> Set<FolderName> {
        names.withLock { names in
            defer { names = [] }
            return names
        }
    }
}
