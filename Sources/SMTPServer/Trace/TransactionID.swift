import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Makes names for messages: the microsecond, never the same twice, and two characters drawn at start, so that a clock
/// that was set back does not repeat the names of an earlier run.
public final class TransactionIDs: Sendable {
    private let last = Atomic<UInt64>(0)
    private let suffix: String

    public init() { suffix = String((0..<2).map { _ in Self.digits.randomElement() ?? "0" }) }

    public func next() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let wanted = UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1000
        while true {
            let before = last.load(ordering: .relaxed)
            let value = max(wanted, before + 1)
            if last.compareExchange(expected: before, desired: value, ordering: .relaxed).exchanged {
                return String(value, radix: 36, uppercase: true) + suffix
            }
        }
    }

    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}
