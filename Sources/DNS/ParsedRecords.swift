import Synchronization

/// What texts of the DNS mean, for those that were parsed of late: message after message brings the same few. Bounded.
package final class ParsedRecords<Record: Sendable>: Sendable {
    private let known = Mutex<[[UInt8]: Record]>([:])
    private let capacity: Int
    /// Octets of a text that is worth keeping: more than any honest record has.
    private static var longest: Int { 4096 }

    package init(capacity: Int = 512) { self.capacity = max(capacity, 1) }

    /// - Parameter parse: depends on the text alone.
    package func record(_ text: [UInt8], _ parse: ([UInt8]) -> Record) -> Record {
        guard text.count <= Self.longest else { return parse(text) }
        if let record = known.withLock({ $0[text] }) { return record }
        let record = parse(text)
        known.withLock { known in
            // Rare, and the few that matter are back at once.
            if known.count >= capacity { known.removeAll(keepingCapacity: true) }
            known[text] = record
        }
        return record
    }
}
