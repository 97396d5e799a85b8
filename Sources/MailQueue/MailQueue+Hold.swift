import Foundation

extension MailQueue {
    /// Keeps a message back until ``release(_:)``, whatever its recipients' times; durable on return. One that is being
    /// delivered at the moment may still arrive. Blocks.
    /// - Throws: ``QueueError``.
    public func hold(_ id: String, _ hold: QueueHold) throws(QueueError) { try set(id, hold) }

    /// Lets a message go; it is due as its recipients were. Blocks.
    /// - Throws: ``QueueError``.
    public func release(_ id: String) throws(QueueError) { try set(id, nil) }

    private func set(_ id: String, _ hold: QueueHold?) throws(QueueError) {
        guard entry(id) != nil else { throw .unknownMessage(id) }
        guard let line = try? QueueFile.encode(hold) else { throw .invalidEnvelope("a hold cannot be written as JSON") }
        // Before the line is written, so that no attempt begins meanwhile.
        let before = index.withLock { index in
            let before = index[id]?.isHeld ?? false
            if hold != nil { index.setHeld(id, true) }
            return before
        }
        do throws(QueueError) { try append(id, line, isSynced: true) } catch {
            index.withLock { $0.setHeld(id, before) }
            throw error
        }
        index.withLock { $0.setHeld(id, hold != nil) }
    }

    /// Makes every pending recipient due at a time, with its attempts and its last note kept. Blocks.
    /// - Throws: ``QueueError``.
    public func expedite(_ id: String, to time: Date) throws(QueueError) {
        let message = try load(id)
        var statuses: [Int: RecipientStatus] = [:]
        for index in message.envelope.pending {
            guard case .pending(var state) = message.envelope.recipients[index].status else { continue }
            state.nextAttempt = time
            statuses[index] = .pending(state)
        }
        try record(id, statuses)
    }

    /// The destinations that a message goes to and the sender whose turn it takes, without reading the file.
    /// - Parameter time: of the due recipients only; nil for all that are pending.
    public func flow(of id: String, due time: Date?) -> (sender: String, domains: [String])? {
        index.withLock { index in
            guard let record = index[id] else { return nil }
            let limit = time?.timeIntervalSince1970 ?? .greatestFiniteMagnitude
            var numbers: [UInt32] = []
            for recipient in record.recipients where recipient.due <= limit && !numbers.contains(recipient.domain) { numbers.append(recipient.domain) }
            return (index.senders[record.sender], numbers.map { index.domains[$0] })
        }
    }

    /// The name under which a recipient's destination is counted: its domain, folded, or ``localDomain``.
    public static func domain(of recipient: QueueRecipient) -> String { QueueIndex.domain(of: recipient) }

    /// Every step that was noted for a message, in order. Blocks.
    /// - Throws: ``QueueError``.
    public func history(_ id: String) throws(QueueError) -> [(recipient: Int, status: RecipientStatus)] {
        guard entry(id) != nil else { throw .unknownMessage(id) }
        return try Recovery.parts(id: id, path: folders.path(of: id), repairing: false).lines.compactMap { if case .step(let step) = $0 { (step.recipient, step.status) } else { nil } }
    }
}
