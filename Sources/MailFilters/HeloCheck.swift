import NetworkAddress
import SPF
import Synchronization

/// What SPF said of a connection's HELO name (RFC 7208 §2.3), for the messages that follow on it.
final class HeloCheck: Sendable {
    /// A client that stays connected is asked about anew, as records change.
    static let lifetime = Duration.seconds(60)

    private struct Known {
        let client: IPAddress
        let helo: String
        let result: SPFResult
        let at: ContinuousClock.Instant
    }

    private let known = Mutex<Known?>(nil)

    /// - Returns: nil where it must be asked for.
    func result(_ client: IPAddress, _ helo: String, now: ContinuousClock.Instant = .now) -> SPFResult? {
        known.withLock { known in
            guard let known, known.client == client, known.helo == helo, known.at.duration(to: now) < Self.lifetime else { return nil }
            return known.result
        }
    }

    /// What could not be decided is not kept: it may be for the next message.
    func note(_ result: SPFResult, _ client: IPAddress, _ helo: String, now: ContinuousClock.Instant = .now) {
        guard result.verdict != .temperror else { return }
        known.withLock { $0 = Known(client: client, helo: helo, result: result, at: now) }
    }
}
