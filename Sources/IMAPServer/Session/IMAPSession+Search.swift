import IMAPCore
import MailStore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

// SEARCH (RFC 3501 §6.4.4, ESEARCH RFC 4731, SEARCHRES RFC 5182), SORT and THREAD (RFC 5256, ESORT RFC 5267).
extension IMAPSession {
    func search(_ tag: String, _ request: SearchRequest, _ numbering: Numbering) async throws {
        // RFC 6855 §3.
        if request.namesCharset, state.acceptsUTF8 { return respond(tag, .bad("after ENABLE UTF8=ACCEPT searches are in UTF-8 and name no charset")) }
        if refusesTag(tag, request) { return }
        let context = newContext(tag, request, numbering)
        var found: [Match] = []
        guard try await matches(tag, request.key, saving: request.returns, { _, match in found.append(match) }) else { return }
        // RFC 9051 §6.4.4: the plain SEARCH response is gone.
        let returns = request.returns ?? (state.isRevision2 ? [.all] : nil)
        if let returns {
            save(found, returns)
            let modSequence = request.namesModSequence ? Self.modSequence(found, returns) : nil
            let result = SearchResult(found.map { $0.number(numbering) }, returns: returns, modSequence: modSequence)
            if returns != [.save] { respond(.esearch(tag: tag, numbering, result)) }
            if let context { follow(context, found: found.map(\.uid)) }
        } else {
            respond(.search(found.map { $0.number(numbering) }, modSequence: request.namesModSequence ? found.map(\.modSequence).max() : nil))
        }
        finish(tag, mayExpunge: numbering == .uid)
    }

    func sort(_ tag: String, _ criteria: [SortCriterion], _ request: SearchRequest, _ numbering: Numbering) async throws {
        if refusesTag(tag, request) { return }
        let context = newContext(tag, request, numbering, criteria)
        var sorter = MessageSorter(criteria)
        var found: [UInt32: Match] = [:]
        let done = try await matches(tag, request.key, saving: request.returns) { candidate, match in
            try sorter.add(candidate, as: match.sequence)
            found[match.sequence] = match
        }
        guard done else { return }
        let order = sorter.sorted().compactMap { found[$0] }
        if let returns = request.returns {
            save(order, returns)
            let modSequence = request.namesModSequence ? Self.modSequence(order, returns) : nil
            let result = SearchResult(order.map { $0.number(numbering) }, returns: returns, modSequence: modSequence, isSorted: true)
            if returns != [.save] { respond(.esearch(tag: tag, numbering, result)) }
            if let context { follow(context, found: order.map(\.uid)) }
        } else {
            respond(.sort(order.map { $0.number(numbering) }, modSequence: request.namesModSequence ? order.map(\.modSequence).max() : nil))
        }
        finish(tag, mayExpunge: numbering == .uid)
    }

    func thread(_ tag: String, _ algorithm: ThreadAlgorithm, _ key: SearchKey, _ numbering: Numbering) async throws {
        var threader = MessageThreader(algorithm)
        guard try await matches(tag, key, saving: nil, { candidate, match in try threader.add(candidate, as: match.number(numbering)) }) else { return }
        respond(.thread(threader.threads()))
        finish(tag, mayExpunge: numbering == .uid)
    }

    /// A message that was found.
    struct Match {
        let sequence: UInt32
        let uid: UInt32
        let modSequence: UInt64

        func number(_ numbering: Numbering) -> UInt32 { numbering == .uid ? uid : sequence }
    }

    /// Goes through the mailbox in its order.
    /// - Returns: false when the command was answered already.
    private func matches(
        _ tag: String, _ key: SearchKey, saving returns: [SearchRequest.Return]?, _ take: (SearchCandidate, Match) throws -> Void
    ) async throws -> Bool {
        guard let current = selection else { return false }
        let view = current.view
        if key.namesModSequence { useModSequences() }
        let evaluator = SearchEvaluator(
            key.namesSaved ? key.resolvingSaved(SequenceSet.compact(savedUIDs)) : key, messageCount: UInt32(view.messages.count),
            largestUID: view.messages.last?.uid ?? 0, now: Int64(time(nil)))
        let known = SearchIndex(current.mailbox, view)
        var progress = ProgressClock(interval: environment.configuration.progressInterval)
        do {
            for (index, message) in view.messages.enumerated() {
                let candidate = SearchCandidate(index: index, message: message, view: view, mailbox: current.mailbox, known: known)
                do {
                    if try evaluator.matches(candidate) {
                        try take(candidate, Match(sequence: UInt32(index + 1), uid: message.uid, modSequence: message.modSequence))
                    }
                } catch StoreError.noSuchMessage {
                    // Expunged by somebody meanwhile: it matches nothing.
                }
                if index % 64 == 63 {
                    // Others wait for this thread as well.
                    await Task.yield()
                    if progress.isDue { try await tellProgress(tag, done: index + 1, of: view.messages.count) }
                }
            }
        } catch let error as StoreError {
            // RFC 5182 §2.1: a search that fails saves nothing.
            if returns?.contains(.save) == true { savedUIDs = [] }
            throw error
        }
        return true
    }

    private func save(_ found: [Match], _ returns: [SearchRequest.Return]) {
        guard returns.contains(.save) else { return }
        savedUIDs = Array(Set(SearchResult.saved(found, returns: returns).map(\.uid))).sorted()
    }

    /// RFC 4731 §3.2: of the messages that the answer tells of.
    private static func modSequence(_ found: [Match], _ returns: [SearchRequest.Return]) -> UInt64? {
        SearchResult.saved(found, returns: returns).map(\.modSequence).max()
    }

    /// INPROGRESS (RFC 9585).
    private func tellProgress(_ tag: String, done: Int, of goal: Int) async throws {
        respond(.untagged(.ok("still at it", code: .inProgress(tag: tag, done: UInt32(done), goal: UInt32(goal)))))
        try await flush()
    }

    /// What the set names in the selected mailbox; nil when it names a message that does not exist.
    func indices(_ set: SequenceSet, _ numbering: Numbering) -> [Int]? {
        selection?.view.indices(in: set, numbering, saved: savedUIDs)
    }
}

/// Tells when the client should hear that its command is still at work.
struct ProgressClock {
    private let interval: Duration
    private var last = ContinuousClock.now

    init(interval: Duration) { self.interval = interval }

    /// Whether the interval is over; the next one begins then.
    var isDue: Bool {
        mutating get {
            let now = ContinuousClock.now
            guard now - last >= interval else { return false }
            last = now
            return true
        }
    }
}
