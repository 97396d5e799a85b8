import Foundation

/// Why a message is kept back, by whom, and since when. It waits until it is released or removed: it does not expire.
public struct QueueHold: Codable, Sendable, Hashable {
    /// For the operator to read.
    public var reason: String
    /// `operator`, `policy`, `limit`: what kept it back.
    public var by: String
    public var since: Date

    public init(reason: String, by: String, since: Date) {
        self.reason = reason
        self.by = by
        self.since = since
    }
}
