import IMAPCore
import MailStore

extension IMAPSession {
    /// SELECT and EXAMINE (RFC 3501 §6.3.1, §6.3.2).
    func select(_ tag: String, _ name: MailboxName, readOnly: Bool) throws(StoreError) {
        // Whatever comes of it, the mailbox selected before is not any more.
        deselect()
        guard let mailboxes else { return respond(tag, .bad("log in first")) }
        let mailbox = try mailboxes.mailbox(FolderName(name.text))
        let token = mailbox.observe { [connection] in connection.wake() }
        do throws(StoreError) {
            let (recent, snapshot) = try look(at: mailbox, readOnly: readOnly)
            let view = MailboxView(snapshot, recent: Set(recent))
            selection = Selection(name: name, mailbox: mailbox, readOnly: readOnly, token: token, view: view)
            state.didSelect(name, readOnly: readOnly)
            describe(view, readOnly: readOnly)
            respond(tag, .ok("selected", code: readOnly ? .readOnly : .readWrite))
        } catch {
            mailbox.removeObserver(token)
            throw error
        }
    }

    private func describe(_ view: MailboxView, readOnly: Bool) {
        respondFlagList(view, readOnly: readOnly)
        respond(.exists(UInt32(view.messages.count)))
        respond(.recent(UInt32(view.recent.count)))
        if let first = view.messages.firstIndex(where: { !$0.flags.contains(.seen) }) {
            respond(.untagged(.ok("first unseen", code: .unseen(UInt32(first + 1)))))
        }
        respond(.untagged(.ok("UIDs valid", code: .uidValidity(view.snapshot.uidValidity))))
        respond(.untagged(.ok("next UID", code: .uidNext(view.snapshot.uidNext))))
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
        return (snapshot.messages.filter(\.isNew).map(\.uid), snapshot)
    }

    /// Tells the client what changed in the selected mailbox. When that is gone or cannot be read, the session ends
    /// (RFC 2180 §3.3 allows it, and the numbering could not be kept).
    func synchronise(mayExpunge: Bool, namingUIDs: Bool = false) {
        guard var current = selection else { return }
        do throws(StoreError) {
            let (recent, snapshot) = try look(at: current.mailbox, readOnly: current.readOnly)
            guard snapshot.uidValidity == current.view.snapshot.uidValidity else { return bye("the mailbox was replaced; log in again") }
            let changes = current.view.update(to: snapshot, newRecent: recent, mayExpunge: mayExpunge)
            selection = current
            for change in changes { report(change, current, namingUIDs: namingUIDs) }
        } catch {
            log(error)
            bye("the selected mailbox is gone or cannot be read", code: .unavailable)
        }
    }

    private func report(_ change: MailboxView.Change, _ current: Selection, namingUIDs: Bool) {
        switch change {
        case .expunge(let number): respond(.expunge(number))
        case .exists(let count): respond(.exists(count))
        case .recent(let count): respond(.recent(count))
        case .flagList: respondFlagList(current.view, readOnly: current.readOnly)
        case .flags(let index): respondFlags(index, current.view, withUID: namingUIDs)
        }
    }

    /// `* n FETCH (FLAGS (…))`
    func respondFlags(_ index: Int, _ view: MailboxView, withUID: Bool) {
        var fetch = FetchResponse(number: UInt32(index + 1), writer: out)
        if withUID { fetch.uid(view.messages[index].uid) }
        fetch.flags(view.flags(of: view.messages[index]))
        fetch.finish()
        out = fetch.writer
    }

    func deselect() {
        if let selection { selection.mailbox.removeObserver(selection.token) }
        selection = nil
        state.didDeselect()
    }

    /// CLOSE (RFC 3501 §6.4.2): expunges without saying so, unless the mailbox is open read-only.
    func close(_ tag: String) throws(StoreError) {
        defer { deselect() }
        if let selection, !selection.readOnly {
            let doomed = try selection.mailbox.refresh().messages.filter { $0.flags.contains(.deleted) }.map(\.uid)
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
        while !isFinished {
            synchronise(mayExpunge: true)
            try await flush()
            if let event = framer.next() { return endIdle(tag, event) }
            switch await connection.next(wakeable: true, timeout: configuration.pollInterval) {
            case .bytes(let buffer): framer.feed(buffer.readableBytesView)
            case .shutdown: bye("the server is going down", code: .unavailable)
            case .closed: throw ConnectionClosed()
            case .wake: break
            case .timeout:
                quiet += 1
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
