import DNS
import NetworkAddress
import Synchronization

/// What the DNS said about one key name.
enum KeyAnswer: Sendable {
    case record(DKIMKeyRecord, text: String)
    case refused(SignatureRefusal, text: String?)
}

/// Fetches the key records of one message's signatures, all at once, within one deadline (RFC 6376 §6.1.2).
struct KeyLookup: Sendable {
    let resolver: any Resolver
    let deadline: Deadline
    private let parsed = ParsedRecords<Result<DKIMKeyRecord, DKIMKeyRecord.Failure>>()

    init(resolver: any Resolver, deadline: Deadline) { (self.resolver, self.deadline) = (resolver, deadline) }

    /// One question a name. A name without an answer in time is left out.
    func answers(for names: Set<DomainName>) async -> [DomainName: KeyAnswer] {
        let collected = Collected()
        await deadline.run(onTimeout: { collected.close() }) {
            if names.count == 1, let name = names.first { return collected.add(name, await answer(name)) }
            await withTaskGroup(of: Void.self) { group in
                for name in names {
                    group.addTask { collected.add(name, await answer(name)) }
                }
            }
        }
        return collected.all
    }

    private func answer(_ name: DomainName) async -> KeyAnswer {
        switch await resolver.lookup(TXTRecord.self, at: name).outcome {
        case .records(let records): choose(records.map(\.joined), name)
        case .noData, .nameError: .refused(.permerror("no key at \(name) (RFC 6376 §6.1.2)"), text: nil)
        case .temporaryFailure(let why): .refused(.temperror("the key at \(name) could not be fetched: \(why) (RFC 6376 §6.1.2)"), text: nil)
        }
    }

    /// One record is taken as it is. Among several, those that say nothing of DKIM (a wildcard's SPF text) do not
    /// count; more than one key leaves the choice undefined (§3.6.2.2 forbids it), so none is chosen.
    private func choose(_ texts: [[UInt8]], _ name: DomainName) -> KeyAnswer {
        let keys = texts.count == 1 ? texts : texts.filter(Self.looksLikeKey)
        guard let text = keys.first else { return .refused(.permerror("no key at \(name) (RFC 6376 §6.1.2)"), text: nil) }
        guard keys.count == 1 else {
            return .refused(.permerror("\(keys.count) key records at \(name) (RFC 6376 §3.6.2.2)"), text: nil)
        }
        let shown = String(decoding: text, as: UTF8.self)
        switch parsed.record(text, { text in Result { () throws(DKIMKeyRecord.Failure) in try DKIMKeyRecord(parsing: text) } }) {
        case .success(let record): return .record(record, text: shown)
        case .failure(let failure): return .refused(.permerror(failure.description), text: shown)
        }
    }

    private static func looksLikeKey(_ text: [UInt8]) -> Bool {
        guard let tags = try? TagList(parsing: text) else { return text.starts(with: Array("v=DKIM1".utf8)) }
        return tags["v"] == "DKIM1" || (tags["v"] == nil && tags["p"] != nil)
    }

    /// Answers as they come, readable before all are there.
    private final class Collected: Sendable {
        private struct State {
            var answers: [DomainName: KeyAnswer] = [:]
            var isClosed = false
        }
        private let state = Mutex(State())

        func add(_ name: DomainName, _ answer: KeyAnswer) { state.withLock { if !$0.isClosed { $0.answers[name] = answer } } }
        /// What comes later is not wanted: a look-up that is cancelled answers too.
        func close() { state.withLock { $0.isClosed = true } }
        var all: [DomainName: KeyAnswer] { state.withLock { $0.answers } }
    }
}
