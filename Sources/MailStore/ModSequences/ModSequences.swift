/// The mod-sequences of a folder that is in use (RFC 7162 §3). Pure: message lists in, lines to write out.
struct ModSequences: Sendable {
    /// Removed messages remembered at most; older ones fall behind the horizon.
    static let rememberedExpunges = 10_000

    /// The highest number given (HIGHESTMODSEQ).
    private(set) var highest: UInt64
    private(set) var horizon: UInt64
    /// In the order in which they went.
    private(set) var vanished: [(uid: UInt32, modSequence: UInt64)]
    /// Lines in the file that a newer one outdates are at most these, less the living.
    private(set) var lines: Int
    private var settled = MessageList()

    /// Takes up a log where its writer left it.
    /// - Parameters:
    ///   - messages: the folder now; each gets its mod-sequence.
    ///   - output: what must be appended to the log.
    init(_ log: ModSequenceLog, messages: inout MessageList, now: UInt64, output: inout ModSequenceLines) {
        highest = log.highest
        horizon = log.horizon
        lines = log.lines
        vanished = log.vanished.map { ($0.key, $0.value) }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }
        let fresh = next(now)
        // Both ascend: what the log has in between is gone.
        var rest = log.entries[...], gone: [UInt32] = []
        messages.setModSequences { uid, flags, keywords in
            while let entry = rest.first, entry.uid < uid { gone.append(rest.removeFirst().uid) }
            if let entry = rest.first, entry.uid == uid {
                rest.removeFirst()
                if entry.flags == flags, entry.keywords == keywords { return entry.modSequence }
            }
            output.append(uid, flags, keywords, fresh)
            return fresh
        }
        for uid in gone + rest.map(\.uid) { note(gone: uid, fresh, &output) }
        if !output.isEmpty { highest = fresh }
        finish(messages, output)
    }

    /// Gives what changed since the last call a new number, one for all (§3.1: such a group counts as changed at once).
    mutating func settle(_ messages: inout MessageList, now: UInt64) -> ModSequenceLines {
        var output = ModSequenceLines(), given: [(Int, StoredMessage)] = [], gone: [UInt32] = []
        let fresh = next(now)
        messages.differences(from: settled) { difference in
            switch difference {
            case .gone(_, let message): gone.append(message.uid)
            case .arrived(let index, var message):
                message.modSequence = fresh
                given.append((index, message))
                output.append(message.uid, message.flags, message.keywordBits, fresh)
            case .changed(let before, let index, var message):
                let isSame = settled[before].hasSameFlags(as: message)
                message.modSequence = isSame ? settled[before].modSequence : fresh
                if !isSame { output.append(message.uid, message.flags, message.keywordBits, fresh) }
                given.append((index, message))
            }
        }
        for (index, message) in given { messages.replace(at: index, with: message) }
        for uid in gone { note(gone: uid, fresh, &output) }
        if !output.isEmpty { highest = fresh }
        finish(messages, output)
        return output
    }

    /// The file written anew: one line for each message, and what is remembered of others.
    func whole() -> ModSequenceLines {
        var out = ModSequenceLines(horizon: horizon, expecting: settled.count + vanished.count)
        settled.forEachModSequence { out.append($0, $1, $2, $3) }
        for one in vanished { out.append(vanished: one.uid, one.modSequence) }
        return out
    }

    /// Whether the file has grown far beyond what it says.
    var isStale: Bool { lines > 2 * (settled.count + vanished.count) + 256 }
    mutating func didRewrite() { lines = settled.count + vanished.count }

    private func next(_ now: UInt64) -> UInt64 { max(highest + 1, now) }

    private mutating func note(gone uid: UInt32, _ value: UInt64, _ output: inout ModSequenceLines) {
        vanished.append((uid, value))
        output.append(vanished: uid, value)
    }

    private mutating func finish(_ messages: MessageList, _ output: ModSequenceLines) {
        settled = messages
        lines += output.count
        guard vanished.count > Self.rememberedExpunges else { return }
        // Half of them, so that this is rare.
        let surplus = vanished.count - Self.rememberedExpunges / 2
        horizon = vanished[surplus - 1].modSequence
        vanished.removeFirst(surplus)
    }
}
