import NetworkAddress
import Synchronization

/// Slows those who guess: each failure doubles the pause between attempts, of the client's address whatever account it
/// tries, and of the account wherever the attempts come from. Attempts at the same time queue up one pause apart.
///
/// Who has logged in to the account from there before goes by failures of that address with that account alone: others'
/// guesses lock no owner out, nor those of another user of the same webmail server. The same wrong password again tells a
/// guesser nothing and does not double the pause: a telephone that was not told of a new password stays slow only itself.
///
/// A client is an IPv4 address or an IPv6 /64, which one person has as a whole. Memory is bounded: keys are hashes, and a
/// full table forgets those with the fewest failures.
final class FailureThrottle: Sendable {
    struct Settings: Sendable {
        var firstPause: Duration = .milliseconds(250)
        /// With its check it fits into the ten seconds that Postfix waits for a reply: the right password still gets in.
        var longestPause: Duration = .seconds(6)
        /// Who would have to wait longer than this is sent away.
        var longestWait: Duration = .seconds(20)
        /// Failures are forgotten after this time without another.
        var memory: Duration = .seconds(900)
        /// How long a log-in makes an address known to an account.
        var acquaintance: Duration = .seconds(7 * 86_400)
        /// Of failures, and of acquaintances.
        var capacity = 20_000
    }

    private struct Record {
        var failures = 0
        var lastFailure: ContinuousClock.Instant
        /// When the next attempt may run.
        var free: ContinuousClock.Instant
        /// A hash of the last wrong password.
        var lastGuess: Int?
    }

    /// Whose failures are counted together.
    private enum Group: Hashable {
        case client([UInt8])
        case account(String)
        case acquaintance(client: [UInt8], account: String)

        /// Seeded by the process: nobody can make two fall together. A name may be long; this is not.
        var key: Int { hashValue }
    }

    private struct State {
        var records: [Int: Record] = [:]
        /// Until when.
        var known: [Int: ContinuousClock.Instant] = [:]
    }

    private let settings: Settings
    private let state = Mutex(State())

    init(settings: Settings = Settings()) { self.settings = settings }

    /// When an attempt that comes now may run, its turn being taken; nil when the client must come back later.
    func turn(of client: IPAddress?, _ user: String, now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        state.withLock { state in
            let keys = Self.keys(client, user, state, now).filter { key in
                guard let record = state.records[key] else { return false }
                guard now - record.lastFailure >= settings.memory else { return true }
                state.records[key] = nil
                return false
            }
            let start = keys.compactMap { state.records[$0]?.free }.reduce(now, max)
            guard start - now <= settings.longestWait else { return nil }
            for key in keys {
                guard var record = state.records[key] else { continue }
                record.free = start + pause(after: record.failures)
                state.records[key] = record
            }
            return start
        }
    }

    /// - Parameter guess: the wrong password; nil where it is not known, as with SCRAM.
    func noteFailure(of client: IPAddress?, _ user: String, guess: String?, now: ContinuousClock.Instant) {
        let guess = guess.map { [user.lowercased(), $0].hashValue }
        state.withLock { state in
            for key in Self.keys(client, user, state, now) {
                if state.records[key] == nil, state.records.count >= settings.capacity { makeRoom(&state.records, now: now) }
                var record = state.records[key] ?? Record(lastFailure: now, free: now)
                if guess == nil || guess != record.lastGuess { record.failures = min(record.failures + 1, 30) }
                record.lastGuess = guess
                record.lastFailure = now
                record.free = max(record.free, now + pause(after: record.failures))
                state.records[key] = record
            }
        }
    }

    /// The client belongs to the account. What it has failed with elsewhere stays.
    func noteSuccess(of client: IPAddress?, _ user: String, now: ContinuousClock.Instant) {
        state.withLock { state in
            if state.known.count >= settings.capacity {
                state.known = state.known.filter { $0.value > now }
                let surplus = max(0, state.known.count - settings.capacity * 3 / 4)
                for (key, _) in state.known.sorted(by: { $0.value < $1.value }).prefix(surplus) { state.known[key] = nil }
            }
            state.known[Group.acquaintance(client: Self.place(client), account: user.lowercased()).key] = now + settings.acquaintance
        }
    }

    /// Under which an attempt is counted.
    private static func keys(_ client: IPAddress?, _ user: String, _ state: State, _ now: ContinuousClock.Instant) -> [Int] {
        let place = place(client), account = user.lowercased()
        let acquaintance = Group.acquaintance(client: place, account: account).key
        if let until = state.known[acquaintance], until > now { return [acquaintance] }
        return [Group.client(place).key, Group.account(account).key]
    }

    private func pause(after failures: Int) -> Duration {
        min(settings.firstPause * (1 << min(max(failures - 1, 0), 20)), settings.longestPause)
    }

    /// Forgets those whose time is over; if that is not enough, those with the fewest failures.
    private func makeRoom(_ table: inout [Int: Record], now: ContinuousClock.Instant) {
        table = table.filter { now - $0.value.lastFailure < settings.memory }
        guard table.count >= settings.capacity else { return }
        for (key, _) in table.sorted(by: { $0.value.failures < $1.value.failures }).prefix(settings.capacity / 4 + 1) { table[key] = nil }
    }

    private static func place(_ client: IPAddress?) -> [UInt8] {
        guard let octets = client?.unmapped.octets else { return [] }
        return octets.count == 16 ? Array(octets[..<8]) : octets
    }
}
