import Foundation

extension MailQueue {
    /// Whether the message left the queue with a step.
    public enum AfterStep: Sendable, Hashable { case stays, left }

    /// Notes what attempts ended with, by recipient index. When the last recipient is settled the file is removed,
    /// otherwise the journal grows; either is durable on return if anything became terminal. Blocks.
    ///
    /// When it throws, the outcome is still remembered in memory, so this process delivers nothing twice; call again
    /// with the same statuses to make it durable.
    /// - Throws: ``QueueError``.
    @discardableResult
    public func record(_ id: String, _ statuses: [Int: RecipientStatus]) throws(QueueError) -> AfterStep {
        let isComplete = try note(id, statuses)
        if isComplete {
            try unlinkFile(id)
            index.withLock { $0.remove(id) }
            return .left
        }
        do throws(QueueError) {
            try append(id, statuses)
        } catch {
            guard isSettled(id) else { throw error }
        }
        guard isSettled(id) else { return .stays }
        // Another thread settled the last recipient meanwhile and removes the file, and with it this journal line: then the
        // removal is what must be durable.
        try unlinkFile(id)
        return .left
    }

    private func isSettled(_ id: String) -> Bool { index.withLock { index in index[id].map { $0.pendingCount == 0 } ?? true } }

    /// Changes the index. - Returns: whether nothing is pending any more.
    private func note(_ id: String, _ statuses: [Int: RecipientStatus]) throws(QueueError) -> Bool {
        let isComplete = index.withLock { $0.note(id, statuses) }
        guard let isComplete else { throw .unknownMessage(id) }
        return isComplete
    }

    private func append(_ id: String, _ statuses: [Int: RecipientStatus]) throws(QueueError) {
        let steps = QueueFile.steps(statuses)
        guard let lines = try? QueueFile.encode(steps) else { throw .invalidEnvelope("a status cannot be written as JSON") }
        // A lost retry time costs one early attempt; a lost delivery costs a duplicate.
        try append(id, lines, isSynced: steps.contains(where: \.status.isTerminal))
    }

    func append(_ id: String, _ lines: [UInt8], isSynced: Bool) throws(QueueError) { try Self.append(lines, to: folders.path(of: id), isSynced: isSynced) }

    static func append(_ lines: [UInt8], to path: String, isSynced: Bool) throws(QueueError) {
        let file = try QueueDescriptor(path, openAppend)
        let before = try file.size()
        do throws(QueueError) {
            try file.write(lines)
            if isSynced { try file.sync() }
        } catch {
            // A torn line would hide every later one from recovery.
            try? file.truncate(to: before)
            throw error
        }
    }
}
