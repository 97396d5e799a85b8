import IMAPCore
import InternetMessage
import MailStore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension IMAPSession {
    /// STORE (RFC 3501 §6.4.6).
    func store(_ tag: String, _ set: SequenceSet, _ request: StoreRequest, _ numbering: Numbering) throws(StoreError) {
        guard var current = selection else { return }
        guard let indices = current.view.indices(in: set, numbering) else { return respond(tag, .bad("there is no such message")) }
        let uids = indices.map { current.view.messages[$0].uid }
        let (flags, keywords) = FlagMapping.split(request.flags)
        let change: FlagChange = switch request.operation {
        case .replace: .replace
        case .add: .add
        case .remove: .remove
        }
        let snapshot = try current.mailbox.setFlags(change, flags, keywords: keywords, uids: uids)
        if request.silent {
            // The client knows what it did; what others did at the same time shows with the next difference.
            current.view.markReported(snapshot, uids: uids)
            selection = current
        }
        synchronise(mayExpunge: numbering == .uid, namingUIDs: numbering == .uid)
        let gone = uids.contains { snapshot.index(ofUID: $0) == nil }
        if !request.silent { reportUnchanged(before: current.view, indices: indices, uids: uids, numbering) }
        respond(tag, gone && numbering == .sequence ? .no("some messages are gone", code: .expungeIssued) : .ok("done"))
    }

    /// STORE answers for every message, also where the flags were so already (RFC 3501 §6.4.6).
    private func reportUnchanged(before: MailboxView, indices: [Int], uids: [UInt32], _ numbering: Numbering) {
        guard let view = selection?.view else { return }
        for (old, uid) in zip(indices, uids) {
            guard let index = view.index(ofUID: uid), view.messages[index].hasSameFlags(as: before.messages[old]) else { continue }
            respondFlags(index, view, withUID: numbering == .uid)
        }
    }

    /// COPY and MOVE (RFC 3501 §6.4.7, RFC 6851), with COPYUID (RFC 4315 §3).
    func copy(_ tag: String, _ set: SequenceSet, _ name: MailboxName, _ numbering: Numbering, moving: Bool) throws(StoreError) {
        guard let current = selection, let mailboxes else { return }
        guard let indices = current.view.indices(in: set, numbering) else { return respond(tag, .bad("there is no such message")) }
        let uids = indices.map { current.view.messages[$0].uid }
        let target: Mailbox
        do throws(StoreError) { target = try mailboxes.mailbox(FolderName(name.text)) } catch { return fail(tag, error, creating: true) }
        let result = moving ? try current.mailbox.move(uids: uids, to: target) : try current.mailbox.copy(uids: uids, to: target)
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
        let ranges = set.map { $0.ranges(largest: largest) }
        let doomed = snapshot.messages.filter { message in
            message.flags.contains(.deleted) && (ranges?.contains { $0.contains(message.uid) } ?? true)
        }.map(\.uid)
        if !doomed.isEmpty { try current.mailbox.expunge(uids: doomed) }
        finish(tag)
    }

    /// SEARCH (RFC 3501 §6.4.4, ESEARCH RFC 4731).
    func search(_ tag: String, _ request: SearchRequest, _ numbering: Numbering) async throws {
        guard let current = selection else { return }
        let view = current.view
        let evaluator = SearchEvaluator(
            request.key, messageCount: UInt32(view.messages.count), largestUID: view.messages.last?.uid ?? 0, now: Int64(time(nil)))
        var found: [UInt32] = []
        for (index, message) in view.messages.enumerated() {
            let candidate = SearchCandidate(index: index, message: message, view: view, mailbox: current.mailbox)
            do {
                if try evaluator.matches(candidate) { found.append(numbering == .uid ? message.uid : UInt32(index + 1)) }
            } catch StoreError.noSuchMessage {
                // Expunged by somebody meanwhile: it matches nothing.
            }
            // Others wait for this thread as well.
            if index % 256 == 255 { await Task.yield() }
        }
        if let returns = request.returns {
            respond(.esearch(tag: tag, numbering, SearchResult(found, returns: returns.isEmpty ? [.all] : returns)))
        } else {
            respond(.search(found))
        }
        finish(tag, mayExpunge: numbering == .uid)
    }
}
