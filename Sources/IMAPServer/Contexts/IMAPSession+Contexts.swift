import IMAPCore
import MailStore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

// UPDATE and CANCELUPDATE (RFC 5267). ADDTO and REMOVEFROM come when the FETCH, EXISTS or EXPUNGE that causes them may come
// (§4.3.2): while a command is answered, in IDLE, and after NOTIFY also between commands. REMOVEFROM of what is expunged
// comes at once, before the numbering changes (appendix A.3).
extension IMAPSession {
    // MARK: Beginning and end

    /// §4.3: updates are known by the command's tag, so that it may not be used again.
    func refusesTag(_ tag: String, _ request: SearchRequest) -> Bool {
        guard request.updates != nil, contexts.has(tag) else { return false }
        respond(tag, .bad("that tag has a result that is kept up to date"))
        return true
    }

    /// A context as the command came: what `$` and sequence numbers mean is settled then (§4.3, RFC 5182 §2.1).
    /// - Parameter criteria: SORT's.
    /// - Returns: nil without UPDATE.
    func newContext(_ tag: String, _ request: SearchRequest, _ numbering: Numbering, _ criteria: [SortCriterion]? = nil) -> SearchContext? {
        guard let attributes = request.updates, let view = selection?.view else { return nil }
        let key = request.key.namesSaved ? request.key.resolvingSaved(SequenceSet.compact(savedUIDs)) : request.key
        return SearchContext(
            tag: tag, numbering, key.fixingSequences(count: view.messages.count) { view.messages[$0].uid }, criteria: criteria, attributes: attributes,
            largestUID: view.messages.last?.uid ?? 0, now: Int64(time(nil)))
    }

    /// Begins to keep a result up to date.
    /// - Parameter uids: what was found, in the requested order.
    func follow(_ context: SearchContext, found uids: [UInt32]) {
        var context = context
        context.list = ResultList(uids, isSorted: context.sorter != nil)
        // §4.3.1: an untagged NO, and all else as if UPDATE had not been there.
        if !contexts.add(context) { refuseUpdates(context.tag, "too many contexts") }
    }

    private func refuseUpdates(_ tag: String, _ text: String) { respond(.untagged(.no(text, code: .noUpdate(tag)))) }

    /// §4.3.5. A tag that names no context may be of one that the server ended.
    func cancelUpdate(_ tag: String, _ tags: [String]) {
        let unknown = tags.filter { !contexts.remove($0) }
        finish(tag, unknown.isEmpty ? .ok("nothing more is told of them") : .bad("no result is kept up to date for \(unknown[0].prefix(40))"))
    }

    // MARK: What happened

    /// The client need not hear of these flags, but of what they make of results.
    func markReported(_ fresh: MailboxSnapshot, uids: [UInt32]) {
        selection?.view.markReported(fresh, uids: uids)
        if !contexts.isEmpty { contexts.touched.formUnion(uids) }
    }

    /// REMOVEFROM of messages that are gone. §4.3.4: before EXPUNGE, so that the numbers are still valid.
    /// - Parameter told: the mailbox as the client knows it.
    func tellRemovals(_ gone: Set<UInt32>, _ told: MailboxView) {
        guard !gone.isEmpty else { return }
        contexts.touched.subtract(gone)
        for var context in contexts.all {
            let runs = context.list.remove(gone)
            if !runs.isEmpty { tell([ResultUpdate(.removeFrom, runs)], of: context, told) }
            contexts.replace(context)
        }
    }

    /// ADDTO and REMOVEFROM for what changed. §4.3.3: after EXISTS; RFC 5465 §5.1: after FETCH.
    func tellContexts(_ news: MailboxNews) {
        guard !contexts.isEmpty, let current = selection else { return }
        let touched = contexts.touched.union(news.touched), fresh = Set(news.arrived)
        contexts.touched = []
        let update = ContextUpdate(current.mailbox, current.view, readLimit: environment.configuration.contextReadLimit), now = Int64(time(nil))
        let asked = contexts.all.map { renewed($0, touched, fresh.union(news.returned), update, now) }
        let outcomes = update.outcomes(of: asked)
        for (index, outcome) in outcomes.enumerated() {
            var context = asked[index].context
            if let failure = outcome.failure {
                end(context, failure)
                continue
            }
            let updates = update.apply(outcome, to: &context)
            if !updates.isEmpty { tell(updates, of: context, current.view) }
            contexts.replace(context)
            noteArrivals(outcome.joining.map(\.uid).filter(fresh.contains), context.attributes)
        }
        contexts.ownArrivals.subtract(fresh)
    }

    /// The context as it is to be evaluated now, and the messages that may have joined or left its result.
    private func renewed(
        _ context: SearchContext, _ touched: Set<UInt32>, _ arrived: Set<UInt32>, _ update: ContextUpdate, _ now: Int64
    ) -> (context: SearchContext, concerned: Set<UInt32>) {
        guard let view = selection?.view else { return (context, []) }
        var context = context, concerned = context.traits.changesWithFlags ? touched.union(arrived) : arrived
        let largest = view.messages.last?.uid ?? 0, before = context.largestUID
        // RFC 5032 §2: how old messages are may be asked periodically.
        let isDue = !context.traits.intervals.isEmpty && now - context.evaluated >= environment.configuration.contextInterval
        if isDue { concerned.formUnion(update.ageing(context, now: now)) }
        if context.traits.namesLargestUID, largest != before {
            // Of messages that were there, a set with `*` means another one only where `*` itself was, or is.
            concerned.formUnion([before, largest])
        }
        if isDue || largest != before { context.evaluate(largestUID: largest, now: isDue ? now : context.evaluated) }
        return (context, concerned)
    }

    /// A context that would cost too much, or cannot be evaluated any more, ends as one that is refused (§4.3.1).
    private func end(_ context: SearchContext, _ failure: ContextUpdate.Failure) {
        _ = contexts.remove(context.tag)
        switch failure {
        case .tooMuch: refuseUpdates(context.tag, "too much changed; search again")
        case .store(let error):
            log(error)
            refuseUpdates(context.tag, "the result is no longer known")
        }
    }

    /// §4.3.2: UIDs or message numbers, as the searching command was given.
    private func tell(_ updates: [ResultUpdate], of context: SearchContext, _ view: MailboxView) {
        guard context.numbering == .sequence else { return respond(.esearchUpdate(tag: context.tag, .uid, updates)) }
        let numbered = updates.map { update in
            ResultUpdate(update.kind, update.runs.map { run in
                ResultRun(position: run.position, numbers: run.numbers.compactMap { view.index(ofUID: $0).map { UInt32($0 + 1) } })
            })
        }
        respond(.esearchUpdate(tag: context.tag, .sequence, numbered))
    }

    /// RFC 5465 §7: only of messages that arrive, not of those that match by their flags.
    private func noteArrivals(_ uids: [UInt32], _ attributes: [FetchAttribute]) {
        guard !attributes.isEmpty else { return }
        for uid in uids where !contexts.ownArrivals.contains(uid) {
            let known = contexts.arrivals[uid] ?? []
            contexts.arrivals[uid] = known + attributes.filter { !known.contains($0) }
        }
    }
}
