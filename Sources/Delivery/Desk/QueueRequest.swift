import Foundation
import MailQueue

/// What a command wants of the queue.
public struct QueueRequest: Codable, Sendable {
    public enum Action: String, Codable, Sendable { case list, show, count, retry, flush, hold, release, remove, stats }

    public var action: Action
    public var selection: QueueSelection
    /// Rows at the most, the oldest first; the totals are of all.
    public var limit = 100
    /// Why they are held.
    public var reason = ""
    /// Whether statistics are by sender instead of by destination.
    public var bySender = false
    /// How much of a message is shown beside its envelope.
    public var content = Content.none

    public enum Content: String, Codable, Sendable { case none, headers, all }

    public init(_ action: Action, _ selection: QueueSelection = QueueSelection()) {
        self.action = action
        self.selection = selection
    }
}

/// A piece of the answer; one of these is set.
public struct QueueAnswer: Codable, Sendable {
    /// Several at once: a queue may have a hundred thousand, and each piece has its price.
    public var rows: [QueueRow]?
    public var detail: QueueDetail?
    /// Of a message's content, in order; base64 in JSON.
    public var content: Data?
    public var statistics: QueueStatistics?
    public var totals: Totals?
    /// Messages looked at so far, of how many.
    public var progress: Progress?

    public struct Progress: Codable, Sendable {
        public var done: Int
        public var total: Int
    }

    /// At the end.
    public struct Totals: Codable, Sendable, Hashable {
        /// Messages in the queue.
        public var queued = 0
        /// Of these, how many were meant.
        public var matched = 0
        /// Of these, how many were changed.
        public var changed = 0
        public var held = 0
        public var byteCount = 0
        /// Ids that were named and that the request is not for, with why; a line each, at most a hundred.
        public var passedOver: [String] = []
        /// What could not be done, a line each, at most a hundred.
        public var failures: [String] = []

        public init() {}
    }

    public init() {}
}
