import Foundation
import MailQueue

/// What the relay does now, for people to look at.
extension RelayService {
    /// What it does with a message; nil when that waits for its time.
    func activities(of ids: [String]) -> [String: String] {
        var out: [String: String] = [:]
        for id in ids {
            if delivering[id] != nil { out[id] = "being delivered" } else if inHand[id] != nil { out[id] = "waiting for its turn" }
        }
        return out
    }

    /// Adds what the scheduler knows of each destination.
    func annotate(_ statistics: inout QueueStatistics) {
        let now = clock.now()
        for place in statistics.destinations.indices {
            guard let gate = scheduler.states[destination(of: statistics.destinations[place].domain)] else { continue }
            statistics.destinations[place].concurrency = gate.window.size
            statistics.destinations[place].running = gate.running
            guard let suspension = gate.suspension, suspension.until > now else { continue }
            statistics.destinations[place].suspendedUntil = suspension.until
            statistics.destinations[place].suspension = suspension.finding.text
        }
    }
}
