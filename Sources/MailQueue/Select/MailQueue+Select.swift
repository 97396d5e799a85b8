import Foundation
import InternetMessage

extension MailQueue {
    /// The messages that may meet a selection, as far as memory tells, the oldest first.
    public func candidates(_ selection: QueueSelection) -> [Entry] {
        let index = self.index.withLock { $0 }
        let domain = selection.domain.map { index.domains.number(of: $0.lowercased()) }
        // A domain that nobody writes to.
        if case .some(nil) = domain { return [] }
        let (senders, recipients) = (index.senders(meantBy: selection.sender), index.domains(meantBy: selection.recipient))
        let since = selection.arrivedSince?.timeIntervalSince1970 ?? -.infinity, before = selection.arrivedBefore?.timeIntervalSince1970 ?? .infinity
        func fits(_ record: QueueIndex.Record) -> Bool {
            record.arrival >= since && record.arrival < before && selection.held.map { $0 == record.isHeld } ?? true
                && (domain.map { number in record.recipients.contains { $0.isPending && $0.domain == number } } ?? true)
                && (senders?.contains(record.sender) ?? true)
                && (recipients.map { meant in record.recipients.contains { $0.isPending && meant.contains($0.domain) } } ?? true)
        }
        var found: [(arrival: Double, id: String)] = []
        if let ids = selection.ids {
            for id in ids { if let record = index[id], fits(record) { found.append((record.arrival, id)) } }
        } else {
            for case (let id, let record?) in index.records where fits(record) { found.append((record.arrival, id)) }
        }
        found.sort { $0.arrival < $1.arrival || $0.arrival == $1.arrival && $0.id < $1.id }
        return found.compactMap { one in index[one.id].map { Self.entry(one.id, $0) } }
    }

    /// Whether a candidate meets the selection; reads its file where that takes it. One that has left meets none. Blocks.
    /// - Throws: ``QueueError`` when the file cannot be read.
    public func matches(_ id: String, _ selection: QueueSelection) throws(QueueError) -> Bool {
        guard selection.needsEnvelope else { return entry(id) != nil }
        do throws(QueueError) { return selection.matches(try load(id).envelope) } catch .unknownMessage { return false }
    }

    /// Whether ``candidates(_:)`` are all that there is to know of a selection.
    public func isExact(_ selection: QueueSelection) -> Bool { !selection.needsEnvelope }

    /// Takes in messages that another process put into the folders since. Blocks.
    /// - Returns: their ids.
    /// - Throws: ``QueueError`` when a folder cannot be read. What is damaged waits for the next start.
    @discardableResult
    public func adopt() throws(QueueError) -> [String] {
        var taken: [String] = []
        for number in 0..<QueueFolders.split {
            for name in try Recovery.names(in: folders.folder(number)) where QueueFolders.isValid(id: name) {
                guard index.withLock({ !$0.contains(name) }), let message = try? Recovery.read(id: name, path: folders.path(of: name)),
                    !message.envelope.pending.isEmpty else { continue }
                let isNew = index.withLock { index in
                    if index.contains(name) { return false }
                    index.add(message.envelope, byteCount: message.byteCount)
                    return true
                }
                if isNew { taken.append(name) }
            }
        }
        return taken
    }
}

/// What memory knows of the addresses in a selection: enough to leave most files closed.
extension QueueIndex {
    /// - Returns: the senders among which those that are meant are; nil for all.
    fileprivate func senders(meantBy text: String?) -> Set<UInt32>? {
        guard let text else { return nil }
        if text.hasPrefix("@") { return senders.numbers { $0.hasSuffix(text.lowercased()) } }
        if text == "<>" || text.isEmpty { return senders.numbers(where: \.isEmpty) }
        return EmailAddress(text).map { address in Set([senders.number(of: Self.flow(of: QueueSender(address)))].compactMap { $0 }) }
    }

    /// - Returns: the destinations among which the recipient's is; nil for all.
    fileprivate func domains(meantBy text: String?) -> Set<UInt32>? {
        guard let text, let at = text.lastIndex(of: "@") else { return nil }
        let names = [text[text.index(after: at)...].lowercased(), MailQueue.localDomain]
        return Set(names.compactMap { domains.number(of: $0) })
    }
}
