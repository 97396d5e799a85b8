import Foundation
import Synchronization

/// Makes message ids: time and a counter in base 32 without look-alikes, unique in this installation, sortable by time.
public final class MessageIDs: Sendable {
    private static let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    private let last = Mutex<UInt64>(0)

    public init() {}

    /// Eleven characters: microseconds since 1970, never the same twice.
    public func next() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let microseconds = UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1000
        var value = last.withLock { last in
            last = max(last + 1, microseconds)
            return last
        }
        var out = [UInt8](repeating: 0, count: 11)
        for place in out.indices.reversed() {
            out[place] = Self.digits[Int(value & 31)]
            value >>= 5
        }
        return String(decoding: out, as: UTF8.self)
    }
}
