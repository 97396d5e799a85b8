import Logging
import Milter
import MilterClient
import NIOCore

/// The chain of every entrance. A foreign milter that several lists name is one filter, so that its outage is logged once.
struct FilterChains: Sendable {
    private let chains: [MailEntrance: FilterChain]

    init(_ settings: Settings, builtIn: [any MailFilter], group: any EventLoopGroup, logger: Logger) {
        var foreign: [MilterLink: MilterClientFilter] = [:]
        var chains: [MailEntrance: FilterChain] = [:]
        for entrance in MailEntrance.allCases {
            chains[entrance] = FilterChain(settings.milters(for: entrance).flatMap { link -> [any MailFilter] in
                guard case .foreign(let address, let own) = link else { return builtIn }
                let filter = foreign[link] ?? MilterClientFilter(configuration: Self.configuration(address, own, settings), group: group, logger: logger)
                foreign[link] = filter
                return [filter]
            })
        }
        self.chains = chains
    }

    subscript(_ entrance: MailEntrance) -> FilterChain { chains[entrance] ?? FilterChain([]) }

    /// By a listener's name.
    func chain(forListener name: String) -> FilterChain { MailEntrance(rawValue: name).map { self[$0] } ?? FilterChain([]) }

    private static func configuration(_ address: MilterAddress, _ own: MilterLink.Own, _ settings: Settings) -> MilterClientConfiguration {
        MilterClientConfiguration(
            address: address, hostname: settings[Known.myhostname].text, defaultAction: own.defaultAction ?? settings[Known.milterDefaultAction].word,
            connectTimeout: (own.connectTimeout ?? settings[Known.milterConnectTimeout]).duration,
            commandTimeout: (own.commandTimeout ?? settings[Known.milterCommandTimeout]).duration,
            contentTimeout: (own.contentTimeout ?? settings[Known.milterContentTimeout]).duration)
    }
}
