import Logging
import Synchronization

/// Whether the milter works, so that an outage is logged when it begins and when it ends, not for every message.
final class MilterHealth: Sendable {
    /// How far a conversation came. A milter that fails in messages has not recovered because it takes a connection.
    enum Depth: Int, Sendable, Comparable {
        case negotiation, message

        static func < (a: Depth, b: Depth) -> Bool { a.rawValue < b.rawValue }
    }

    private let failed = Mutex<Depth?>(nil)
    private let name: String
    private let logger: Logger

    init(name: String, logger: Logger) {
        self.name = name
        self.logger = logger
    }

    func failed(_ error: any Error, at depth: Depth, _ action: MilterClientConfiguration.DefaultAction) {
        let isNews = failed.withLock { known in
            defer { known = max(known ?? depth, depth) }
            return known == nil
        }
        guard isNews else { return }
        logger.error("milter does not work: milter_default_action applies", metadata: [
            "milter": "\(name)", "error": "\(error)", "action": "\(action.rawValue)",
        ])
    }

    func worked(at depth: Depth) {
        let isNews = failed.withLock { known in
            guard let failure = known, failure <= depth else { return false }
            known = nil
            return true
        }
        guard isNews else { return }
        logger.notice("milter works again", metadata: ["milter": "\(name)"])
    }
}
