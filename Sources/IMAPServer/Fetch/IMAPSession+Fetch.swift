import IMAPCore
import InternetMessage
import MailStore

// FETCH (RFC 3501 §6.4.5, BINARY RFC 3516). Large sections go out piece by piece, as fast as the client reads.
extension IMAPSession {
    func fetch(
        _ tag: String, _ set: SequenceSet, _ attributes: [FetchAttribute], _ numbering: Numbering, _ modifiers: FetchModifiers
    ) async throws {
        guard let current = selection else { return }
        if modifiers.vanished, !state.usesVanished { return respond(tag, .bad("ENABLE QRESYNC comes first")) }
        guard let named = indices(set, numbering) else { return respond(tag, .bad("there is no such message")) }
        var wanted = attributes
        // RFC 7162 §3.1.4.1: CHANGEDSINCE asks for MODSEQ as well.
        if modifiers.changedSince != nil, !wanted.contains(.modSequence) { wanted.append(.modSequence) }
        if wanted.contains(.modSequence) { useModSequences() }
        // RFC 3501 §6.4.8: UID FETCH answers with the UID, asked for or not; RFC 7162 §3.2.4 wants it always.
        if numbering == .uid || state.usesVanished, !wanted.contains(.uid) { wanted.insert(.uid, at: 0) }
        if modifiers.vanished, let since = modifiers.changedSince {
            let uids = set.isSaved ? SequenceSet.compact(savedUIDs) : set
            respondVanished(since: since, within: uids?.ranges(largest: current.view.snapshot.uidNext - 1) ?? [], current.view)
        }
        let indices = select(named, modifiers, current.view)
        if try markSeen(indices, wanted) {
            if !wanted.contains(.flags) { wanted.append(.flags) }
            if state.usesModSequences, !wanted.contains(.modSequence) { wanted.append(.modSequence) }
        }
        if FlagLines.canAnswer(wanted), let view = selection?.view {
            var lines = FlagLines(view, wanted)
            for index in indices {
                lines.write(index, into: &out)
                try await flushIfLarge()
            }
            synchronise(mayExpunge: numbering == .uid, namingUIDs: numbering == .uid)
            return respond(tag, .ok("done"))
        }
        let summaries = SummaryReader(current.mailbox, current.view)
        var isComplete = true, failure: Condition?
        for index in indices {
            do throws(FetchFailure) { try await answer(index, wanted, summaries) } catch {
                switch error {
                case .gone: isComplete = false
                case .refused(let condition): failure = condition
                case .closed: throw ConnectionClosed()
                }
            }
        }
        let condition = failure ?? (isComplete ? .ok("done") : .no("some messages are gone", code: .expungeIssued))
        synchronise(mayExpunge: numbering == .uid, namingUIDs: numbering == .uid)
        respond(tag, condition)
    }

    /// CHANGEDSINCE, and of what that leaves PARTIAL (RFC 9394 §3.3).
    private func select(_ indices: [Int], _ modifiers: FetchModifiers, _ view: MailboxView) -> [Int] {
        let changed = modifiers.changedSince.map { since in indices.filter { view.messages[$0].modSequence > since } } ?? indices
        return modifiers.partial.map { Array($0.slice(changed)) } ?? changed
    }

    /// FETCH responses that nobody asked for now (RFC 5465 §5.2); a message that is gone is left out.
    func tell(_ indices: [Int], _ attributes: [FetchAttribute]) async throws {
        var wanted = attributes
        if state.usesVanished, !wanted.contains(.uid) { wanted.insert(.uid, at: 0) }
        guard let current = selection else { return }
        let summaries = SummaryReader(current.mailbox, current.view)
        for index in indices {
            do throws(FetchFailure) { try await answer(index, wanted, summaries) } catch { if case .closed = error { throw ConnectionClosed() } }
        }
    }

    enum FetchFailure: Error {
        case gone, closed
        case refused(Condition)

        init(_ error: StoreError) {
            if case .noSuchMessage = error { self = .gone } else { self = .refused(error.condition()) }
        }
    }

    /// Sets `\Seen` where an attribute does that and the mailbox may be written.
    /// - Returns: whether any message changed, so that the answers must name the flags.
    private func markSeen(_ indices: [Int], _ attributes: [FetchAttribute]) throws(StoreError) -> Bool {
        guard let current = selection, !current.readOnly, attributes.contains(where: \.setsSeen) else { return false }
        let unseen = indices.map { current.view.messages[$0] }.filter { !$0.flags.contains(.seen) }.map(\.uid)
        guard !unseen.isEmpty else { return false }
        let snapshot = try current.mailbox.setFlags(.add, [.seen], uids: unseen)
        markReported(snapshot, uids: unseen)
        return true
    }

    /// One message's FETCH response. Nothing of it is sent when the message turns out to be gone.
    private func answer(_ index: Int, _ attributes: [FetchAttribute], _ summaries: SummaryReader) async throws(FetchFailure) {
        guard let current = selection else { return }
        let message = current.view.messages[index]
        let plan: [FetchItem]
        do throws(StoreError) {
            plan = try FetchPlanner(mailbox: current.mailbox, message: message, flags: current.view.flags(of: message), summaries: summaries).plan(attributes)
        } catch { throw FetchFailure(error) }
        if case .unknownEncoding? = plan.first(where: { if case .unknownEncoding = $0 { true } else { false } }) {
            throw .refused(.no("a part's encoding is unknown", code: .unknownCTE))
        }
        do { try await write(plan, number: UInt32(index + 1)) } catch { throw .closed }
    }

    private func write(_ plan: [FetchItem], number: UInt32) async throws {
        var fetch = FetchResponse(number: number, writer: out)
        for item in plan {
            item.write(into: &fetch)
            if case .stream(_, let file, let range, _) = item {
                out = fetch.writer
                try await stream(file, range)
                fetch.writer = out
            }
        }
        fetch.finish()
        out = fetch.writer
        try await flushIfLarge()
    }

    /// Sends exactly the announced octets. A file that turns out shorter cannot be answered any more: the connection ends.
    private func stream(_ file: MessageFile, _ range: Range<Int>) async throws {
        var reader = file.reader()
        try reader.skip(to: range.lowerBound)
        while reader.position < range.upperBound {
            guard let piece = try reader.next(atMost: min(MessageReader.pieceSize, range.upperBound - reader.position)) else { throw ConnectionClosed() }
            out.raw(piece)
            try await flushIfLarge()
        }
    }
}
