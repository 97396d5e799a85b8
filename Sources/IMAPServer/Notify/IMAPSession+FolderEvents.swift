import IMAPCore
import MailStore

// MailboxName, SubscriptionChange and the metadata events (RFC 5465 §5.4 to §5.7).
extension IMAPSession {
    /// Tells what happened to folders: from the account's record what this process did, by comparison what others did.
    func tellFolders(looksEverywhere: Bool) throws(StoreError) {
        guard let mailboxes, let position = notifications?.position else { return }
        let (events, end) = mailboxes.folderEvents(since: position)
        guard looksEverywhere || events?.isEmpty != true else { return }
        let now = try mailboxes.list()
        let listing = FolderListing(folders: now, subscribed: try mailboxes.subscribedFolders(), uses: try mailboxes.specialUses(of: now), separator: environment.configuration.hierarchySeparator)
        notifications?.position = end
        // Too much happened to tell it apart: the comparison below tells what came of it.
        if events == nil { notifications?.ownEvents = [] }
        for event in events ?? [] { take(event, listing) }
        tellDifferences(to: Self.byName(now), listing)
        renewWatches(mailboxes)
    }

    private func take(_ event: FolderEvent, _ listing: FolderListing) {
        let before = notifications?.known ?? [:]
        notifications?.known = Self.apply(event, to: before)
        if let own = notifications?.ownEvents.firstIndex(of: event) {
            notifications?.ownEvents.remove(at: own)
            return
        }
        switch event {
        case .created(let name), .deleted(let name): tellName(name, listing, before)
        case .renamed(let old, let new):
            guard wants(.mailboxName, new, before) || wants(.mailboxName, old, before) else { return }
            respond(.list(listing.entry(of: new, oldName: old)))
        case .subscribed(let name), .unsubscribed(let name):
            if wants(.subscriptionChange, name, before, wasSubscribed: true) { respond(.list(listing.entry(of: name))) }
        case .metadata(let name?, let entries):
            if wants(.mailboxMetadataChange, name, before) { respond(.metadataChanged(mailboxName(name), entries)) }
        case .metadata(nil, let entries):
            if notifications?.wantsServerMetadata == true { respond(.metadataChanged(MailboxName(""), entries)) }
        }
    }

    /// A folder that came or went, and its direct parent, whose children changed (§5.4).
    private func tellName(_ name: FolderName, _ listing: FolderListing, _ before: [FolderName: FolderSummary]) {
        if wants(.mailboxName, name, before) { respond(.list(listing.entry(of: name))) }
        guard name.levels.count > 1, let parent = try? FolderName(name.levels.dropLast().joined(separator: "/")) else { return }
        if wants(.mailboxName, parent, before) { respond(.list(listing.entry(of: parent))) }
    }

    private func tellDifferences(to now: [FolderName: FolderSummary], _ listing: FolderListing) {
        guard let before = notifications?.known else { return }
        notifications?.known = now
        for name in Set(before.keys).union(now.keys).sorted(by: { $0.description < $1.description }) {
            if before[name]?.exists ?? false != now[name]?.exists ?? false {
                tellName(name, listing, before)
            } else if before[name]?.isSubscribed ?? false != now[name]?.isSubscribed ?? false,
                wants(.subscriptionChange, name, before, wasSubscribed: true) {
                respond(.list(listing.entry(of: name)))
            }
        }
    }

    private func wants(_ event: NotifyRequest.Event, _ name: FolderName, _ known: [FolderName: FolderSummary], wasSubscribed: Bool = false) -> Bool {
        notifications?.events(of: name, isSubscribed: wasSubscribed || known[name]?.isSubscribed == true).contains(event) ?? false
    }

    /// §6.4: what "subscribed" and "personal" mean changes with the folders.
    private func renewWatches(_ mailboxes: Mailboxes) {
        guard let notifications else { return }
        let wanted = Dictionary(uniqueKeysWithValues: Self.watches(notifications))
        guard wanted.count <= Notifications.watchLimit else {
            // §5.8: from here on as after NOTIFY NONE.
            stopNotifying()
            self.notifications = Notifications(nil, dirty: DirtyFolders())
            return respond(.untagged(.ok("there are too many mailboxes to watch", code: .notificationOverflow)))
        }
        for (name, watched) in notifications.watched where wanted[name] == nil {
            watched.mailbox.removeObserver(watched.token)
            self.notifications?.watched[name] = nil
        }
        for (name, events) in wanted {
            // A folder that was removed and made anew is another one.
            if let watched = notifications.watched[name], (try? mailboxes.mailbox(name)) === watched.mailbox {
                self.notifications?.watched[name]?.events = events
            } else {
                if let old = notifications.watched[name] { old.mailbox.removeObserver(old.token) }
                watch(name, events, mailboxes, tellsState: false)
            }
        }
    }

    /// The folders as they are after an event, as far as LIST tells of them.
    private static func apply(_ event: FolderEvent, to known: [FolderName: FolderSummary]) -> [FolderName: FolderSummary] {
        var known = known
        func change(_ name: FolderName, exists: Bool? = nil, isSubscribed: Bool? = nil) {
            let old = known[name]
            known[name] = FolderSummary(
                name: name, exists: exists ?? old?.exists ?? false, hasChildren: old?.hasChildren ?? false, isSubscribed: isSubscribed ?? old?.isSubscribed ?? false)
        }
        switch event {
        case .created(let name): change(name, exists: true)
        case .deleted(let name): change(name, exists: false)
        case .subscribed(let name): change(name, isSubscribed: true)
        case .unsubscribed(let name): change(name, isSubscribed: false)
        case .renamed(let old, let new):
            change(new, exists: true)
            if old.isInbox { break }
            for name in known.keys where name == old || name.isBelow(old) {
                if known[name]?.exists == true, let target = try? name.moved(from: old, to: new) { change(target, exists: true) }
                change(name, exists: false)
            }
        case .metadata: break
        }
        return known
    }
}
