import Foundation

/// When a recipient that was put off is tried again, and when it is given up.
public struct RetryPolicy: Sendable {
    /// Seconds (`minimal_backoff_time`).
    public var minimalBackoff: TimeInterval = 300
    /// Seconds (`maximal_backoff_time`).
    public var maximalBackoff: TimeInterval = 4000
    /// Seconds from arrival (`maximal_queue_lifetime`).
    public var queueLifetime: TimeInterval = 5 * 86400
    /// The same for mail with the null sender (`bounce_queue_lifetime`).
    public var bounceLifetime: TimeInterval = 5 * 86400
    /// Seconds after which the sender is told once that it takes longer (`delay_warning_time`); nil for never.
    public var delayWarning: TimeInterval?
    /// 0..<1, for the jitter.
    public var random: @Sendable () -> Double = { Double.random(in: 0..<1) }

    public init() {}

    /// Seconds to wait after so many attempts: doubling from the least to the most, and up to a tenth more at random, so
    /// that messages that failed together do not come back together.
    /// - Parameter jitter: 0..<1; drawn when not given.
    public func backoff(afterAttempts attempts: Int, jitter: Double? = nil) -> TimeInterval {
        let doubled = minimalBackoff * pow(2, Double(min(max(attempts, 1) - 1, 40)))
        return min(doubled, max(maximalBackoff, minimalBackoff)) * (1 + (jitter ?? random()) / 10)
    }

    /// Nothing is ever due later than this from now, in seconds.
    var longest: TimeInterval { max(maximalBackoff, minimalBackoff) * 1.1 }

    func expiry(arrival: Date, isBounce: Bool) -> Date { arrival + (isBounce ? bounceLifetime : queueLifetime) }
}
