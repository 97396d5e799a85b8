import IMAPCore
import MailStore

// STORE (RFC 3501 §6.4.6, UNCHANGEDSINCE RFC 7162 §3.1.3).
extension IMAPSession {
    func store(_ tag: String, _ set: SequenceSet, _ request: StoreRequest, _ numbering: Numbering) throws(StoreError) {
        guard let current = selection else { return }
        guard let indices = indices(set, numbering) else { return respond(tag, .bad("there is no such message")) }
        if request.unchangedSince != nil { useModSequences() }
        let before = current.view
        let uids = indices.map { before.messages[$0].uid }
        let (modified, snapshot) = try change(request, uids, current.mailbox)
        let left = Set(modified)
        let done = uids.filter { !left.contains($0) }
        if request.silent {
            // The client knows what it did; what others did at the same time shows with the next difference.
            markReported(snapshot, uids: done)
        }
        synchronise(mayExpunge: numbering == .uid, namingUIDs: numbering == .uid, own: Set(done))
        reportStored(request, done, before: before, numbering)
        respond(tag, outcome(request, uids, modified, snapshot, numbering, before))
    }

    private func change(_ request: StoreRequest, _ uids: [UInt32], _ mailbox: Mailbox) throws(StoreError) -> (modified: [UInt32], MailboxSnapshot) {
        let (flags, keywords) = FlagMapping.split(request.flags)
        let change: FlagChange = switch request.operation {
        case .replace: .replace
        case .add: .add
        case .remove: .remove
        }
        guard let limit = request.unchangedSince else { return ([], try mailbox.setFlags(change, flags, keywords: keywords, uids: uids)) }
        return try mailbox.setFlags(change, flags, keywords: keywords, uids: uids, unchangedSince: limit)
    }

    /// STORE answers for every message, also where the flags were so already (RFC 3501 §6.4.6); and with `.SILENT` it
    /// still tells the new mod-sequence (RFC 7162 §3.1.3).
    private func reportStored(_ request: StoreRequest, _ uids: [UInt32], before: MailboxView, _ numbering: Numbering) {
        guard let view = selection?.view, !request.silent || state.usesModSequences else { return }
        for uid in uids {
            guard let index = view.index(ofUID: uid), let old = before.index(ofUID: uid) else { continue }
            let now = view.messages[index], then = before.messages[old]
            if request.silent {
                guard request.unchangedSince != nil || now.modSequence != then.modSequence else { continue }
                respondModSequence(index, view, withUID: numbering == .uid)
            } else if now.hasSameFlags(as: then), !state.usesModSequences || now.modSequence == then.modSequence {
                respondFlags(index, view, withUID: numbering == .uid)
            }
        }
    }

    private func outcome(
        _ request: StoreRequest, _ uids: [UInt32], _ modified: [UInt32], _ snapshot: MailboxSnapshot, _ numbering: Numbering, _ before: MailboxView
    ) -> Condition {
        let named = numbering == .uid ? modified : modified.compactMap { before.index(ofUID: $0).map { UInt32($0 + 1) } }
        if let set = SequenceSet.compact(named) { return .ok("some messages were changed meanwhile", code: .modified(set)) }
        let gone = uids.contains { snapshot.index(ofUID: $0) == nil }
        return gone && numbering == .sequence ? .no("some messages are gone", code: .expungeIssued) : .ok("done")
    }
}
