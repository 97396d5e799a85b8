import IMAPCore
import InternetMessage
import MailStore

extension IMAPSession {
    /// COPY and MOVE (RFC 3501 §6.4.7, RFC 6851), with COPYUID (RFC 4315 §3).
    func copy(_ tag: String, _ set: SequenceSet, _ name: MailboxName, _ numbering: Numbering, moving: Bool) throws(StoreError) {
        guard let current = selection, let mailboxes else { return }
        guard let indices = indices(set, numbering) else { return respond(tag, .bad("there is no such message")) }
        let uids = indices.map { current.view.messages[$0].uid }
        let target: Mailbox
        do throws(StoreError) { target = try mailboxes.mailbox(folderName(name)) } catch { return fail(tag, error, creating: true) }
        let result = moving ? try current.mailbox.move(uids: uids, to: target) : try current.mailbox.copy(uids: uids, to: target)
        noteOwnArrivals(result.assigned.uids, in: target)
        let code = copyCode(result)
        guard moving else { return finish(tag, .ok("done", code: code)) }
        // RFC 6851 §4.3: COPYUID comes before the EXPUNGE responses.
        if let code { respond(.untagged(.ok("moved", code: code))) }
        finish(tag)
    }

    private func copyCode(_ result: (source: [UInt32], assigned: AssignedUIDs)) -> ResponseCode? {
        guard let source = SequenceSet.compact(result.source), let destination = SequenceSet.compact(result.assigned.uids) else { return nil }
        return .copyUID(validity: result.assigned.uidValidity, source: source, destination: destination)
    }

    /// EXPUNGE (RFC 3501 §6.4.3) and UID EXPUNGE (RFC 4315 §2.1).
    func expunge(_ tag: String, uids set: SequenceSet?) throws(StoreError) {
        guard let current = selection else { return }
        let snapshot = try current.mailbox.refresh()
        let largest = snapshot.messages.last?.uid ?? 0
        let named = set.map { $0.isSaved ? SequenceSet.compact(savedUIDs) ?? SequenceSet([ClosedRange<UInt32>]()) : $0 }
        let ranges = named.map { $0.ranges(largest: largest) }
        let doomed = snapshot.messages.deletedUIDs.filter { uid in ranges?.contains { $0.contains(uid) } ?? true }
        if !doomed.isEmpty { try current.mailbox.expunge(uids: doomed) }
        synchronise(mayExpunge: true)
        // RFC 7162 §3.2.7 and §3.2.9.
        respond(tag, .ok("done", code: doomed.isEmpty || !state.usesVanished ? nil : selection.map { .highestModSequence($0.view.snapshot.highestModSequence) }))
    }
}
