import InternetMessage
import Milter
import Synchronization

/// Carries what the filters wished for the delivered copy (folder, keywords) from the milter to the LMTP server, when the
/// MTA between them cannot: it is kept under the MTA's queue id, which the milter learns by macro and which stands in the
/// Received field that the MTA puts on top. No header is believed for it, so nobody outside can forge it. It is kept in
/// memory: mail that waits in the MTA's queue over a restart of ours is delivered without.
final class HintHandover: Sendable {
    private struct State {
        var hints: [String: DeliveryHints] = [:]
        /// Keys in the order they came, the oldest first.
        var order: [String] = []
        var first = 0
    }

    private let state = Mutex(State())
    private let capacity: Int

    init(capacity: Int = 20_000) { self.capacity = capacity }

    func note(_ queueID: String, _ transaction: Transaction) {
        let hints = transaction.deliveryHints
        guard hints != DeliveryHints(), !queueID.isEmpty, queueID.utf8.count <= 64 else { return }
        state.withLock { state in
            if state.hints.updateValue(hints, forKey: queueID) == nil { state.order.append(queueID) }
            while state.hints.count > capacity {
                state.hints[state.order[state.first]] = nil
                state.first += 1
            }
            if state.first > capacity {
                state.order.removeFirst(state.first)
                state.first = 0
            }
        }
    }

    /// The hints for a message that came by LMTP; its own field is the first Received, the MTA's the second. They stay for
    /// the message's other recipients, whom the MTA may hand over later.
    func hints(for message: Message) -> DeliveryHints? {
        guard let id = Self.queueID(ofRelayed: message.header) else { return nil }
        return state.withLock { $0.hints[id] }
    }

    /// The queue id of the MTA that handed a message over.
    static func queueID(ofRelayed header: MessageHeader) -> String? {
        header.all("Received").dropFirst().first.flatMap { queueID(in: $0.value) }
    }

    /// RFC 5321 §4.4's `id` clause: `… (Postfix) with ESMTPS id 4XyZ`, or `by host (Postfix, from userid 0) id 4XyZ`.
    static func queueID(in value: String) -> String? {
        let words = value.split(whereSeparator: { " \t\r\n;".contains($0) })
        for index in words.indices.dropFirst(2).dropLast() where words[index] == "id" {
            if words[index - 2] == "with" || words[index - 1].hasSuffix(")") { return String(words[index + 1]) }
        }
        return nil
    }
}
