import IMAPCore
import MailStore

// NOTIFY (RFC 5465).
extension IMAPSession {
    func notify(_ tag: String, _ request: NotifyRequest?) throws(StoreError) {
        guard let mailboxes else { return respond(tag, .bad("log in first")) }
        guard let request else {
            stopNotifying()
            notifications = Notifications(nil, dirty: DirtyFolders())
            return respond(tag, .ok("nothing will be told"))
        }
        var made = Notifications(request, dirty: DirtyFolders(), separator: environment.configuration.hierarchySeparator)
        made.position = mailboxes.folderEventPosition
        made.known = Self.byName(try mailboxes.list())
        let wanted = Self.watches(made)
        guard wanted.count <= Notifications.watchLimit else {
            return respond(tag, .no("at most \(Notifications.watchLimit) mailboxes can be watched", code: .notificationOverflow))
        }
        // §3.1: it implies a NOOP: what gathered until now is told by what held until now, and by what holds from now on.
        synchronise(mayExpunge: true)
        stopNotifying()
        made.observation = mailboxes.observeFolders { [connection] in connection.wake() }
        notifications = made
        synchronise(mayExpunge: true)
        for (name, events) in wanted { watch(name, events, mailboxes, tellsState: request.wantsStatus) }
        respond(tag, .ok("events will be told"))
    }

    static func byName(_ folders: [FolderSummary]) -> [FolderName: FolderSummary] {
        Dictionary(folders.map { ($0.name, $0) }) { first, _ in first }
    }

    /// The folders whose messages are to be watched, in a steady order.
    static func watches(_ notifications: Notifications) -> [(FolderName, Set<NotifyRequest.Event>)] {
        notifications.known.values.filter(\.exists).sorted { $0.name.description < $1.name.description }.compactMap { folder in
            let events = notifications.events(of: folder.name, isSubscribed: folder.isSubscribed).filter(\.isMessageEvent)
            return events.isEmpty ? nil : (folder.name, events)
        }
    }

    /// A folder that vanishes meanwhile is ignored (§3.1).
    func watch(_ name: FolderName, _ events: Set<NotifyRequest.Event>, _ mailboxes: Mailboxes, tellsState: Bool) {
        guard let notifications, let mailbox = try? mailboxes.mailbox(name), let snapshot = try? mailbox.refresh() else { return }
        let token = mailbox.observe { [connection, dirty = notifications.dirty] in
            dirty.insert(name)
            connection.wake()
        }
        let told = FolderState(snapshot)
        self.notifications?.watched[name] = WatchedFolder(mailbox: mailbox, token: token, events: events, told: told)
        guard tellsState, !isSelected(name) else { return }
        var items: [StatusItem] = [.messages, .uidNext, .uidValidity]
        if events.contains(.flagChange) { items.append(.highestModSequence) }
        respond(.status(mailboxName(name), items.map { ($0, told.value($0)) }))
    }

    func isSelected(_ name: FolderName) -> Bool { selection.map { (try? folderName($0.name)) == name } ?? false }

    func stopNotifying() {
        guard let old = notifications else { return }
        for watched in old.watched.values { watched.mailbox.removeObserver(watched.token) }
        if let observation = old.observation { mailboxes?.removeFolderObserver(observation) }
        notifications = nil
    }

    // MARK: Telling

    /// Tells what happened, between commands or in IDLE.
    /// - Parameters:
    ///   - looksEverywhere: also for what other programs did.
    ///   - isIdle: whether EXPUNGE is allowed for a client that numbers messages.
    func tellEvents(looksEverywhere: Bool, isIdle: Bool) async throws {
        guard let notifications, notifications.isActive else { return }
        do throws(StoreError) {
            try tellFolders(looksEverywhere: looksEverywhere)
            tellStates(looksEverywhere: looksEverywhere)
        } catch { log(error) }
        // §6.1.2: delayed means that EXPUNGE waits for a command that allows it.
        synchronise(mayExpunge: isIdle || notifications.request?.selected?.filter == .selected)
        try await tellArrivals()
    }

    private func tellStates(looksEverywhere: Bool) {
        guard let notifications else { return }
        let dirty = notifications.dirty.take()
        let names = looksEverywhere ? Set(notifications.watched.keys) : dirty
        for name in names.sorted(by: { $0.description < $1.description }) where !isSelected(name) { tellState(of: name) }
    }

    /// A folder that cannot be read now is told of when it can.
    private func tellState(of name: FolderName) {
        guard let watched = notifications?.watched[name], let snapshot = try? watched.mailbox.refresh() else { return }
        let now = FolderState(snapshot)
        let items = now.items(since: watched.told, watched.events, usesModSequences: state.usesModSequences)
        notifications?.watched[name]?.told = now
        if !items.isEmpty { respond(.status(mailboxName(name), items.map { ($0, now.value($0)) })) }
    }

    /// FETCH of new messages in the selected mailbox, as MessageNew (§5.2) and UPDATE (§7) asked: one for both. §5.2 wants it
    /// behind ADDTO, which the example in §7 has last; only so it can be one.
    func tellArrivals() async throws {
        let uids = notifications?.arrivals ?? [], byContext = contexts.arrivals
        guard !uids.isEmpty || !byContext.isEmpty else { return }
        notifications?.arrivals = []
        contexts.arrivals = [:]
        guard let view = selection?.view else { return }
        let attributes = notifications?.request?.selected?.attributes ?? [], notified = Set(uids)
        for uid in notified.union(byContext.keys).sorted() {
            let asked = notified.contains(uid) ? attributes : []
            let wanted = asked + (byContext[uid] ?? []).filter { !asked.contains($0) }
            if let index = view.index(ofUID: uid), !wanted.isEmpty { try await tell([index], wanted) }
        }
    }

    // MARK: What this client does itself (§5: it need not hear of that)

    func noteOwn(_ event: FolderEvent) {
        if notifications?.isActive == true { notifications?.ownEvents.append(event) }
    }

    /// This client put messages into a folder.
    func noteOwnArrivals(_ uids: [UInt32], in mailbox: Mailbox) {
        if !contexts.isEmpty, let selection, selection.mailbox === mailbox { contexts.ownArrivals.formUnion(uids) }
        guard notifications?.isActive == true else { return }
        if let selection, selection.mailbox === mailbox {
            notifications?.ownArrivals.formUnion(uids)
        } else if let watched = notifications?.watched[mailbox.name], watched.mailbox === mailbox {
            // Only when nobody else did anything at the same time.
            let now = FolderState(mailbox.lastSnapshot)
            if now.messages == watched.told.messages + uids.count, Int(now.uidNext) == Int(watched.told.uidNext) + uids.count {
                notifications?.watched[mailbox.name]?.told = now
            }
        }
    }
}
