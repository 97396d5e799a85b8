/// How many deliveries may go to one destination, or to one server, at once, as Postfix's SCHEDULER_README has it: it grows by one with a
/// delivery that reached the site, shrinks by one with one that did not, and when so many failed in a row as make a whole
/// window (a pseudo-cohort), the site counts as dead.
public struct ConcurrencyWindow: Sendable, Hashable {
    public struct Limits: Sendable, Hashable {
        /// `initial_destination_concurrency`
        public var initial: Int
        /// `default_destination_concurrency_limit`
        public var most: Int
        /// `default_destination_concurrency_failed_cohort_limit`; 0: no site is ever dead.
        public var failedCohorts: Int

        public init(initial: Int = 5, most: Int = 20, failedCohorts: Int = 1) {
            (self.initial, self.most, self.failedCohorts) = (initial, most, failedCohorts)
        }
    }

    private let limits: Limits
    public private(set) var size: Int
    private var failedCohorts = 0.0

    public init(_ limits: Limits) {
        self.limits = limits
        size = max(1, min(limits.initial, limits.most))
    }

    /// The site was reached, whatever it said of the mail.
    /// - Parameter running: deliveries under way, this one among them: a window that is not used does not grow.
    public mutating func reached(running: Int) {
        failedCohorts = 0
        if size < limits.most, size < running + limits.initial { size += 1 }
    }

    /// No session with the site came about.
    /// - Returns: whether it counts as dead now.
    public mutating func failed() -> Bool {
        failedCohorts += 1 / Double(size)
        size = max(1, size - 1)
        // A sum of thirds and fifths may miss a whole one by a hair.
        return limits.failedCohorts > 0 && failedCohorts >= Double(limits.failedCohorts) - 1e-9
    }

    /// As at the beginning: after a rest.
    public mutating func reset() { self = ConcurrencyWindow(limits) }
}
