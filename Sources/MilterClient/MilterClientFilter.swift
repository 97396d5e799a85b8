import Logging
import Milter
import NIOCore

/// A foreign milter (rspamd, clamav-milter, OpenDKIM) as one more link of the chain.
public final class MilterClientFilter: MailFilter {
    public let name: String
    /// All of them: what the milter does not want is known only when it has been asked.
    public let stages: Set<MilterStage> = [.connect, .helo, .mail, .rcpt, .data, .endOfMessage, .unknownCommand]
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
