import NetworkAddress
import Synchronization

/// Slows those who guess: each failure of a client doubles the pause between its attempts. Attempts at the same time
/// queue up one pause apart. A client is an IPv4 address or an IPv6 /64, which one person has as a whole.
final class FailureThrottle: Sendable {
    struct Settings: Sendable {
        var firstPause: Duration = .milliseconds(250)
        var longestPause: Duration = .seconds(10)
        /// Who would have to wait longer than this is sent away.
        var longestWait: Duration = .seconds(20)
        /// Failures are forgotten after this time without another.
        var memory: Duration = .seconds(900)
        var capacity = 10_000
    }

    private struct Record {
        var failures = 0
        var lastFailure: ContinuousClock.Instant
        /// When the next attempt may run.
        var free: ContinuousClock.Instant
    }

    private let settings: Settings
    private let records = Mutex<[[UInt8]: Record]>([:])

    init(settings: Settings = Settings()) { self.settings = settings }

    /// When an attempt that comes now may run, its turn being taken; nil when the client must come back later.
    func turn(of client: IPAddress?, now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        records.withLock { table in
            let key = Self.key(client)
            guard var record = table[key] else { return now }
            guard now - record.lastFailure < settings.memory else {
                table[key] = nil
                return now
            }
            let start = max(now, record.free)
            guard start - now <= settings.longestWait else { return nil }
            record.free = start + pause(after: record.failures)
            table[key] = record
            return start
        }
    }

    func noteFailure(of client: IPAddress?, now: ContinuousClock.Instant) {
        records.withLock { table in
            let key = Self.key(client)
            if table[key] == nil, table.count >= settings.capacity { makeRoom(&table, now: now) }
            var record = table[key] ?? Record(lastFailure: now, free: now)
            record.failures = min(record.failures + 1, 30)
            record.lastFailure = now
            record.free = max(record.free, now + pause(after: record.failures))
            table[key] = record
        }
    }

    private func pause(after failures: Int) -> Duration {
        min(settings.firstPause * (1 << min(max(failures - 1, 0), 20)), settings.longestPause)
    }

    /// Forgets those whose time is over; if that is not enough, those with the fewest failures.
    private func makeRoom(_ table: inout [[UInt8]: Record], now: ContinuousClock.Instant) {
        table = table.filter { now - $0.value.lastFailure < settings.memory }
        guard table.count >= settings.capacity else { return }
        for (key, _) in table.sorted(by: { $0.value.failures < $1.value.failures }).prefix(settings.capacity / 4 + 1) { table[key] = nil }
    }

    private static func key(_ client: IPAddress?) -> [UInt8] {
        guard let octets = client?.unmapped.octets else { return [] }
        return octets.count == 16 ? Array(octets[..<8]) : octets
    }
}
