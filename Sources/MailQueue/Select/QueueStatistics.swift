import Foundation

/// What waits for each destination, as `qshape` shows it.
public struct QueueStatistics: Codable, Sendable, Hashable {
    public struct Destination: Codable, Sendable, Hashable {
        /// ``MailQueue/localDomain`` for copies that stay here; a sender where these were asked for, empty for the null sender.
        public var domain: String
        /// Recipients that are to be tried.
        public var waiting = 0
        /// Recipients of held messages.
        public var held = 0
        public var oldestArrival: Date
        /// When the first of them is due; nil when all are held.
        public var nextAttempt: Date?
        /// Waiting and held ones by age: up to 5, 10, 20, 40, 80, 160, 320, 640 and 1280 minutes, and older.
        public var ages = [Int](repeating: 0, count: ageLimits.count + 1)
        /// Sessions that the server allows at once, and those under way; nil when nothing goes there now.
        public var concurrency: Int?
        public var running: Int?
        /// Until when nothing is tried, and why.
        public var suspendedUntil: Date?
        public var suspension: String?
    }

    /// Minutes.
    public static let ageLimits = [5, 10, 20, 40, 80, 160, 320, 640, 1280]

    public var messages = 0
    public var heldMessages = 0
    public var byteCount = 0
    /// The one with the most first.
    public var destinations: [Destination] = []

    public init() {}
}

extension MailQueue {
    /// Counts what waits, from memory alone.
    /// - Parameter bySender: whether its senders are counted in the place of its destinations, as they take turns: without
    ///   what a mailing adds to its address for each recipient.
    public func statistics(at now: Date, bySender: Bool = false) -> QueueStatistics {
        let index = self.index.withLock { $0 }
        var out = QueueStatistics()
        var byNumber: [UInt32: QueueStatistics.Destination] = [:]
        for case let record? in index.records.values {
            out.messages += 1
            out.byteCount += record.byteCount
            if record.isHeld { out.heldMessages += 1 }
            let arrival = Date(timeIntervalSince1970: record.arrival)
            let age = Int(now.timeIntervalSince(arrival) / 60)
            let column = QueueStatistics.ageLimits.firstIndex { age < $0 } ?? QueueStatistics.ageLimits.count
            for recipient in record.recipients where recipient.isPending {
                let number = bySender ? record.sender : recipient.domain
                byNumber[number, default: .init(domain: bySender ? index.senders[number] : index.domains[number], oldestArrival: arrival)]
                    .count(Date(timeIntervalSince1970: recipient.due), arrival, column, isHeld: record.isHeld)
            }
        }
        out.destinations = byNumber.values.sorted { ($1.waiting + $1.held, $0.domain) < ($0.waiting + $0.held, $1.domain) }
        return out
    }
}

extension QueueStatistics.Destination {
    fileprivate mutating func count(_ due: Date, _ arrival: Date, _ column: Int, isHeld: Bool) {
        if isHeld { held += 1 } else {
            waiting += 1
            nextAttempt = min(nextAttempt ?? due, due)
        }
        oldestArrival = min(oldestArrival, arrival)
        ages[column] += 1
    }
}
