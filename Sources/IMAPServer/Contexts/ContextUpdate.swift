import IMAPCore
import MailStore

/// Finds out what flags, arrivals and time made of the contexts' results (RFC 5267 §4.3). Each message is looked at once for
/// all of them.
struct ContextUpdate {
    /// What one context's result gained and lost.
    struct Outcome {
        var joining: [(uid: UInt32, rank: SortRank?)] = []
        var leaving: Set<UInt32> = []
        var reads = 0
        var failure: Failure?
    }

    enum Failure {
        case tooMuch
        case store(StoreError)
    }

    private let mailbox: Mailbox
    private let view: MailboxView
    private let missing: Set<UInt32>
    private let readLimit: Int
    /// For messages here and there.
    private let known: SearchIndex

    init(_ mailbox: Mailbox, _ view: MailboxView, readLimit: Int) {
        self.mailbox = mailbox
        self.view = view
        self.readLimit = readLimit
        missing = Set(view.missing)
        known = SearchIndex(mailbox, view, piece: 1)
    }

    /// - Parameter contexts: as they are to be evaluated now.
    /// - Returns: one outcome for each.
    func outcomes(of contexts: [(context: SearchContext, concerned: Set<UInt32>)]) -> [Outcome] {
        var outcomes = contexts.map { _ in Outcome() }
        let members = contexts.map { $0.context.list.members(of: $0.concerned) }
        let concerned: Set<UInt32> = contexts.reduce(into: []) { $0.formUnion($1.concerned) }, order = concerned.sorted()
        let known = index(for: order)
        for uid in order {
            guard !missing.contains(uid), let candidate = candidate(uid, known) else { continue }
            for (index, (context, concerned)) in contexts.enumerated() where concerned.contains(uid) && outcomes[index].failure == nil {
                look(at: candidate, context, isMember: members[index].contains(uid), &outcomes[index])
            }
        }
        return outcomes
    }

    private func look(at candidate: SearchCandidate, _ context: SearchContext, isMember: Bool, _ outcome: inout Outcome) {
        let before = candidate.reads
        defer {
            outcome.reads += candidate.reads - before
            if outcome.reads > readLimit { outcome.failure = .tooMuch }
        }
        do {
            let matches = try context.evaluator.matches(candidate)
            if matches, !isMember {
                outcome.joining.append((candidate.uid, try context.sorter?.rank(of: candidate, as: candidate.uid)))
            } else if !matches, isMember {
                outcome.leaving.insert(candidate.uid)
            }
        } catch StoreError.noSuchMessage {
            // Expunged by somebody meanwhile: that it is gone shows with the next look.
        } catch let error as StoreError {
            outcome.failure = .store(error)
        } catch {}
    }

    /// Takes the outcome into the context.
    /// - Returns: what to send, in this order (§4.3.2).
    func apply(_ outcome: Outcome, to context: inout SearchContext) -> [ResultUpdate] {
        var updates: [ResultUpdate] = []
        let removed = context.list.remove(outcome.leaving)
        if !removed.isEmpty { updates.append(ResultUpdate(.removeFrom, removed)) }
        let added = context.sorter.map { insert(outcome.joining, into: &context.list, $0) } ?? context.list.insert(outcome.joining.map(\.uid))
        if !added.isEmpty { updates.append(ResultUpdate(.addTo, added)) }
        return updates
    }

    /// §4.3.2: so that the requested order is kept. What the members are ranked by is read again where it is needed: to keep
    /// it would cost more memory than the result itself.
    private func insert(_ joining: [(uid: UInt32, rank: SortRank?)], into list: inout ResultList, _ sorter: MessageSorter) -> [ResultRun] {
        var ranks: [UInt32: SortRank] = [:]
        let new = joining.compactMap(\.rank).sorted(by: sorter.precedes)
        return list.insert(new.map { rank in (rank.number, place(of: rank, in: list.uids, sorter, &ranks)) })
    }

    /// The index that the message goes before. A member that cannot be read tells nothing: the one behind it is asked.
    private func place(of rank: SortRank, in uids: [UInt32], _ sorter: MessageSorter, _ ranks: inout [UInt32: SortRank]) -> Int {
        var low = 0, high = uids.count
        while low < high {
            let middle = (low + high) / 2
            var probe = middle
            while probe < high, ranks[uids[probe]] == nil {
                ranks[uids[probe]] = candidate(uids[probe], known).flatMap { try? sorter.rank(of: $0, as: uids[probe]) }
                if ranks[uids[probe]] == nil { probe += 1 }
            }
            if probe < high, let other = ranks[uids[probe]], sorter.precedes(other, rank) { low = probe + 1 } else { high = middle }
        }
        return low
    }

    /// Where many messages lie close together, what is known of them is read in pieces.
    private func index(for uids: [UInt32]) -> SearchIndex {
        guard uids.count > 64, let first = uids.first.flatMap({ view.index(ofUID: $0) }), let last = uids.last.flatMap({ view.index(ofUID: $0) }) else { return known }
        return (last - first) / uids.count < 16 ? SearchIndex(mailbox, view) : known
    }

    private func candidate(_ uid: UInt32, _ known: SearchIndex) -> SearchCandidate? {
        view.index(ofUID: uid).map { SearchCandidate(index: $0, message: view.messages[$0], view: view, mailbox: mailbox, known: known) }
    }

    /// Messages that YOUNGER and OLDER say something else of than they did: each interval's limit passed them by.
    func ageing(_ context: SearchContext, now: Int64) -> Set<UInt32> {
        let ordered = SearchIndex(mailbox, view)
        let limits = context.traits.intervals.map { (context.evaluated - Int64($0))...(max(now, context.evaluated) - Int64($0)) }
        var found: Set<UInt32> = []
        for message in view.messages {
            guard let date = ordered.details(of: message.uid)?.internalDate else { continue }
            if limits.contains(where: { $0.contains(date) }) { found.insert(message.uid) }
        }
        return found
    }
}
