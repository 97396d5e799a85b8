import Logging
import Milter
import NIOCore
import Synchronization

/// A foreign milter (rspamd, clamav-milter, OpenDKIM) as one more link of the chain.
public final class MilterClientFilter: MailFilter {
    public let name: String
    /// All of them: what the milter does not want is known only when it has been asked.
    public let stages: Set<MilterStage> = [.connect, .helo, .mail, .rcpt, .data, .endOfMessage]
    private let configuration: MilterClientConfiguration
    private let group: any EventLoopGroup
    private let health: MilterHealth

    public init(configuration: MilterClientConfiguration, group: any EventLoopGroup, logger: Logger) {
        self.configuration = configuration
        self.group = group
        name = configuration.address.description
        health = MilterHealth(name: configuration.address.description, logger: logger)
    }

    public func makeSession() -> any FilterSession {
        MilterClientSession(configuration: configuration, group: group, health: health)
    }
}

/// Whether the milter works, so that an outage is logged when it begins and when it ends, not for every message.
final class MilterHealth: Sendable {
    private let isDown = Mutex(false)
    private let name: String
    private let logger: Logger

    init(name: String, logger: Logger) {
        self.name = name
        self.logger = logger
    }

    func failed(_ error: any Error, _ action: MilterClientConfiguration.DefaultAction) {
        guard isDown.withLock({ down in defer { down = true }; return !down }) else { return }
        logger.error("milter does not work: milter_default_action applies", metadata: [
            "milter": "\(name)", "error": "\(error)", "action": "\(action.rawValue)",
        ])
    }

    func worked() {
        guard isDown.withLock({ down in defer { down = false }; return down }) else { return }
        logger.notice("milter works again", metadata: ["milter": "\(name)"])
    }
}
