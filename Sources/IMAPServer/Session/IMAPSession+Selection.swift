import IMAPCore
import MailStore

extension IMAPSession {
    /// SELECT and EXAMINE (RFC 3501 §6.3.1, §6.3.2, RFC 7162 §3.1.8 and §3.2.5).
    func select(_ tag: String, _ name: MailboxName, _ parameters: SelectParameters, readOnly: Bool) throws(StoreError) {
        if parameters.resynchronisation != nil, !state.usesVanished { return respond(tag, .bad("ENABLE QRESYNC comes first")) }
        // Whatever comes of it, the mailbox selected before is not any more.
        if selection != nil, state.tellsClosing { respond(.untagged(.ok("the mailbox before is closed", code: .closed))) }
        deselect()
        if parameters.enablesModSequences { useModSequences() }
        guard let mailboxes else { return respond(tag, .bad("log in first")) }
        let mailbox = try mailboxes.mailbox(folderName(name))
        let token = mailbox.observe { [connection] in connection.wake() }
        do throws(StoreError) {
            let (recent, snapshot) = try look(at: mailbox, readOnly: readOnly)
            let view = MailboxView(snapshot, recent: Set(recent), showsRecent: !state.isRevision2)
            selection = Selection(name: name, mailbox: mailbox, readOnly: readOnly, token: token, view: view)
            state.didSelect(name, readOnly: readOnly)
            describe(view, name, readOnly: readOnly)
            if let known = parameters.resynchronisation { resynchronise(known, view) }
            respond(tag, .ok("selected", code: readOnly ? .readOnly : .readWrite))
        } catch {
            mailbox.removeObserver(token)
            throw error
        }
    }

    private func describe(_ view: MailboxView, _ name: MailboxName, readOnly: Bool) {
        respondFlagList(view, readOnly: readOnly)
        respond(.exists(UInt32(view.messages.count)))
        if state.isRevision2 {
            // RFC 9051 §6.3.2: LIST in place of what is gone, RECENT and UNSEEN.
            respond(.list(ListEntry(name, delimiter: environment.configuration.hierarchySeparator, attributes: [])))
        } else {
            respond(.recent(UInt32(view.recent.count)))
            if let first = view.messages.firstUnseen {
                respond(.untagged(.ok("first unseen", code: .unseen(UInt32(first + 1)))))
            }
        }
        respond(.untagged(.ok("UIDs valid", code: .uidValidity(view.snapshot.uidValidity))))
        respond(.untagged(.ok("next UID", code: .uidNext(view.snapshot.uidNext))))
        respond(.untagged(.ok("highest", code: .highestModSequence(view.snapshot.highestModSequence))))
        respond(.untagged(.ok("lasting name", code: .mailboxID(view.snapshot.objectID))))
    }

    private func respondFlagList(_ view: MailboxView, readOnly: Bool) {
        let flags = Flag.storable + view.snapshot.keywordNames.compactMap { Flag($0) }
        respond(.flags(flags))
        let permanent: ResponseCode = readOnly ? .permanentFlags([], allowsNew: false) : .permanentFlags(flags, allowsNew: view.snapshot.acceptsNewKeywords)
        respond(.untagged(.ok("flags that last", code: permanent)))
    }

    /// The folder now; a session that may write claims what is new, and is the only one to see it as `\Recent`.
    private func look(at mailbox: Mailbox, readOnly: Bool) throws(StoreError) -> (recent: [UInt32], snapshot: MailboxSnapshot) {
        guard readOnly else { return try mailbox.claimRecent() }
        let snapshot = try mailbox.refresh()
        return (snapshot.recentUIDs, snapshot)
    }

    /// Tells the client what changed in the selected mailbox. When that is gone or cannot be read, the session ends
    /// (RFC 2180 §3.3 allows it, and the numbering could not be kept).
    /// - Parameter own: messages whose flags this client changed: it hears of those whatever NOTIFY said.
    func synchronise(mayExpunge: Bool, namingUIDs: Bool = false, own: Set<UInt32> = []) {
        guard var current = selection else { return }
        // RFC 5465 §3.1: after NOTIFY, what it named and nothing else.
        let events = notifications?.selectedEvents
        let tellsMessages = events?.contains(.messageNew) ?? true, tellsFlags = events?.contains(.flagChange) ?? true
        do throws(StoreError) {
            let (recent, snapshot) = try look(at: current.mailbox, readOnly: current.readOnly || !tellsMessages)
            guard snapshot.uidValidity == current.view.snapshot.uidValidity else { return bye("the mailbox was replaced; log in again") }
            let told = current.view
            var changes = current.view.update(
                to: snapshot, newRecent: tellsMessages ? recent : [], mayExpunge: mayExpunge && tellsMessages, mayAdd: tellsMessages,
                countsModSequences: state.usesModSequences)
            let news = MailboxNews(changes, told, current.view)
            if !tellsFlags { changes.removeAll { if case .flags(let index) = $0 { !own.contains(current.view.messages[index].uid) } else { false } } }
            selection = current
            tellRemovals(news.gone, told)
            report(changes, current, namingUIDs: namingUIDs || events != nil)
            noteArrivals(news.arrived)
            tellContexts(news)
        } catch {
            log(error)
            bye("the selected mailbox is gone or cannot be read", code: .unavailable)
        }
    }

    /// Remembers new messages that NOTIFY wants described; those of this client it knows.
    private func noteArrivals(_ arrived: [UInt32]) {
        guard let request = notifications?.request, request.selected?.attributes.isEmpty == false else { return }
        let fresh = arrived.filter { notifications?.ownArrivals.remove($0) == nil }
        notifications?.arrivals += fresh
    }

    private func report(_ changes: [MailboxView.Change], _ current: Selection, namingUIDs: Bool) {
        if state.usesVanished {
            let gone = changes.compactMap { if case .expunge(_, let uid) = $0 { uid } else { nil } }
            if let set = SequenceSet.compact(gone.sorted()) { respond(.vanished(set, earlier: false)) }
        }
        for change in changes { report(change, current, namingUIDs: namingUIDs) }
    }

    private func report(_ change: MailboxView.Change, _ current: Selection, namingUIDs: Bool) {
        switch change {
        case .expunge(let number, _): if !state.usesVanished { respond(.expunge(number)) }
        case .exists(let count): respond(.exists(count))
        case .recent(let count): respond(.recent(count))
        case .flagList: respondFlagList(current.view, readOnly: current.readOnly)
        case .flags(let index): respondFlags(index, current.view, withUID: namingUIDs)
        }
    }

    /// `* n FETCH (FLAGS (…))`; with UID and MODSEQ where RFC 7162 §3.1 and §3.2.4 want them.
    func respondFlags(_ index: Int, _ view: MailboxView, withUID: Bool) {
        var fetch = FetchResponse(number: UInt32(index + 1), writer: out)
        if withUID || state.usesVanished || state.isRevision2 { fetch.uid(view.messages[index].uid) }
        fetch.flags(view.flags(of: view.messages[index]))
        if state.usesModSequences { fetch.modSequence(view.messages[index].modSequence) }
        fetch.finish()
        out = fetch.writer
    }

    func deselect() {
        if let selection {
            selection.mailbox.removeObserver(selection.token)
            // From now on NOTIFY may watch it as one of the others: what the client knows of it is what was told here.
            notifications?.watched[selection.mailbox.name]?.told = FolderState(selection.view.snapshot)
            notifications?.arrivals = []
            notifications?.ownArrivals = []
        }
        selection = nil
        savedUIDs = []
        // RFC 5267 §4.3: updates cease.
        contexts.end()
        state.didDeselect()
    }

    /// CLOSE (RFC 3501 §6.4.2): expunges without saying so, unless the mailbox is open read-only.
    func close(_ tag: String) throws(StoreError) {
        defer { deselect() }
        if let selection, !selection.readOnly {
            let doomed = try selection.mailbox.refresh().messages.deletedUIDs
            if !doomed.isEmpty { try selection.mailbox.expunge(uids: doomed) }
        }
        respond(tag, .ok("done"))
    }

    /// IDLE (RFC 2177): what this process does shows at once, what other programs do after the poll interval.
    func idle(_ tag: String) async throws {
        respond(.continuation("idling"))
        framer.mode = .line
        let configuration = environment.configuration
        var quiet: Int64 = 0
        var looksEverywhere = false
        while !isFinished {
            // RFC 5465 §4: after NOTIFY exactly what it named.
            if notifications == nil { synchronise(mayExpunge: true) } else { try await tellEvents(looksEverywhere: looksEverywhere, isIdle: true) }
            looksEverywhere = false
            try await tellArrivals()
            try await flush()
            if let event = framer.next() { return endIdle(tag, event) }
            switch await connection.next(wakeable: true, timeout: configuration.pollInterval) {
            case .bytes(let buffer): framer.feed(buffer.readableBytesView)
            case .shutdown: bye("the server is going down", code: .unavailable)
            case .closed: throw ConnectionClosed()
            case .wake: break
            case .timeout:
                quiet += 1
                looksEverywhere = true
                if configuration.pollInterval.nanoseconds * quiet >= configuration.idleTimeout.nanoseconds { bye("idle for too long") }
            }
        }
    }

    private func endIdle(_ tag: String, _ event: CommandFramer.Event) {
        switch event {
        case .line(let line) where String(decoding: line, as: UTF8.self).uppercased() == "DONE": respond(tag, .ok("done"))
        case .fatal(let error):
            respond(error.response)
            bye("the line is too long")
        default: respond(tag, .bad("IDLE ends with DONE"))
        }
    }
}
