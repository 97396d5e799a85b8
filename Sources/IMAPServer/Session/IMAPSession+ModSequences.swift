import IMAPCore
import MailStore

// CONDSTORE and QRESYNC (RFC 7162).
extension IMAPSession {
    /// ENABLE (RFC 5161, RFC 7162 §3.1.8, RFC 6855 §3, RFC 9051 §6.3.1).
    func enable(_ tag: String, _ names: [String]) {
        let had = state.usesModSequences
        let enabled = state.enable(names)
        out.utf8 = state.usesUTF8
        framer.utf8Names = state.usesUTF8
        respond(.enabled(enabled.map { $0 == "IMAP4REV2" ? "IMAP4rev2" : $0 }))
        if !had, state.usesModSequences { respondHighestModSequence() }
        respond(tag, .ok("done"))
    }

    /// A command named mod-sequences: from now on FETCH answers tell them (§3.1).
    func useModSequences() {
        if state.useModSequences() { respondHighestModSequence() }
    }

    private func respondHighestModSequence() {
        guard let selection else { return }
        respond(.untagged(.ok("highest", code: .highestModSequence(selection.view.snapshot.highestModSequence))))
    }

    /// What changed since the client last saw the mailbox (§3.2.5).
    func resynchronise(_ known: SelectParameters.Resynchronisation, _ view: MailboxView) {
        guard known.uidValidity == view.snapshot.uidValidity else { return }
        respondVanished(since: known.modSequence, within: known.knownUIDs?.ranges(largest: 0), view)
        let ranges = known.knownUIDs?.ranges(largest: 0)
        for (index, message) in view.messages.enumerated() where message.modSequence > known.modSequence {
            // The client asks about what it knows; what is newer than all of that it fetches itself.
            if let ranges, !ranges.contains(where: { $0.contains(message.uid) }) { continue }
            respondFlags(index, view, withUID: true)
        }
    }

    /// `* VANISHED (EARLIER) …`: nothing of it changes the numbering.
    /// - Parameter ranges: nil for all UIDs.
    func respondVanished(since modSequence: UInt64, within ranges: [ClosedRange<UInt32>]?, _ view: MailboxView) {
        guard view.snapshot.uidNext > 1 else { return }
        let all = ranges ?? [1...(view.snapshot.uidNext - 1)]
        let gone: SequenceSet?
        if let told = view.snapshot.expunges.since(modSequence) {
            gone = SequenceSet.compact(told.filter { uid in view.index(ofUID: uid) == nil && all.contains { $0.contains(uid) } })
        } else {
            // Too long ago to know: every UID that is not there may have gone since.
            gone = UIDGaps.between(view.messages.map(\.uid), within: all, below: view.snapshot.uidNext)
        }
        if let gone { respond(.vanished(gone, earlier: true)) }
    }

    /// `* n FETCH (UID … MODSEQ (…))`
    func respondModSequence(_ index: Int, _ view: MailboxView, withUID: Bool) {
        var fetch = FetchResponse(number: UInt32(index + 1), writer: out)
        if withUID || state.usesVanished { fetch.uid(view.messages[index].uid) }
        fetch.modSequence(view.messages[index].modSequence)
        fetch.finish()
        out = fetch.writer
    }
}

/// UIDs that were given once and are not there.
enum UIDGaps {
    /// - Parameters:
    ///   - live: ascending.
    ///   - ranges: ascending and disjoint.
    /// - Returns: nil for none.
    static func between(_ live: [UInt32], within ranges: [ClosedRange<UInt32>], below next: UInt32) -> SequenceSet? {
        var gaps: [ClosedRange<UInt32>] = []
        var position = 0
        for range in ranges where range.lowerBound < next {
            var low = range.lowerBound
            let high = min(range.upperBound, next - 1)
            while position < live.count, live[position] < low { position += 1 }
            while position < live.count, live[position] <= high {
                if live[position] > low { gaps.append(low...(live[position] - 1)) }
                low = live[position] + 1
                position += 1
            }
            if low <= high { gaps.append(low...high) }
        }
        return gaps.isEmpty ? nil : SequenceSet(gaps)
    }
}
