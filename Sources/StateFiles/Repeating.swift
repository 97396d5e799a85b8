import Dispatch

/// Work that is done again and again, for as long as its owner lives.
public enum Repeating {
    /// Does the work each interval, on that queue, from one interval on; the time that it takes is not counted.
    /// - Parameters:
    ///   - owner: not kept alive by this; when it is gone the work ends.
    ///   - work: may block. Says whether it wants to be done again.
    public static func every<Owner: AnyObject & Sendable>(_ interval: Duration, on queue: DispatchQueue, of owner: Owner,
                                                          _ work: @escaping @Sendable (Owner) -> Bool) {
        let seconds = Double(interval.components.seconds) + Double(interval.components.attoseconds) / 1e18
        queue.asyncAfter(deadline: .now() + seconds) { [weak owner] in
            guard let owner, work(owner) else { return }
            every(interval, on: queue, of: owner, work)
        }
    }
}
