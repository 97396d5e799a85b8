import Accounts
import BlockingPool
import Foundation
import Logging
import MailQueue
import MailStore
import NIOCore
import NIOPosix
import SMTPServer
import Tags
import UnboundResolver

/// A running installation: the servers, the queue and the store, wired to one set of live parts.
public final class Gateway: Sendable {
    public let settings: Settings
    public let accounts: AccountStore
    public let ledger: TagLedger
    public let store: MailStore
    private let ground: LiveParts.Ground
    private let live: Live
    private let resolver: UnboundResolver
    private let relay: RelayWiring
    private let servers: GatewayServers
    private let group: MultiThreadedEventLoopGroup
    private let pool: BlockingPool
    private let logger: Logger

    /// Opens everything on disk and reads rules, keys and certificate; binds nothing yet. Blocks.
    /// - Throws: what is wrong, in words for an operator.
    public init(_ settings: Settings, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        let data = settings[Known.dataDirectory].path
        try DataFolder.prepare(data, owner: try Privileges.target(settings[Known.user]))
        pool = BlockingPool(threads: 16, name: "pool")
        group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        resolver = try ResolverSettings.resolver(settings)
        accounts = try AccountStore(path: data + "/accounts.sqlite", pool: pool)
        var ledgerOptions = TagLedger.Options()
        ledgerOptions.reportFlushFailure = { logger.error("tag ledger", metadata: ["error": "\($0)"]) }
        ledger = try TagLedger(path: data + "/tags.sqlite", mintingKey: try MintingKey.load(data + "/tag-minting.key"), options: ledgerOptions)
        store = try MailStore(root: data + "/mail")
        let queue = try MailQueue(MailQueue.Settings(root: data + "/queue", minimumFreeBytes: settings[Known.queueMinfree]))
        ground = LiveParts.Ground(resolver: resolver, accounts: accounts, ledger: ledger, group: group, logger: logger)
        live = Live(try LiveParts(settings, on: ground))
        let ids = TransactionIDs()
        relay = try RelayWiring(settings, live: live, ground: ground, queue: queue, store: store, group: group, pool: pool, ids: ids)
        let handover = HintHandover()
        let sink = DeliverySink(live: live, acceptor: relay.acceptor, logger: logger, handover: handover)
        servers = try GatewayServers(settings, live: live, ground: ground, sink: sink, handover: handover, store: store, group: group, pool: pool, ids: ids)
    }

    /// `smtp 0.0.0.0:25`, one for each bound listener.
    public var listeners: [String] { servers.descriptions }

    /// Where a listener was bound, for callers that asked for port 0.
    public func port(of listener: String) -> Int? { servers.port(of: listener) }

    /// Binds the ports, gives up root, starts the queue.
    public func start() async throws {
        try await servers.bind()
        if let user = try Privileges.target(settings[Known.user]) {
            try DataFolder.handOver(settings[Known.dataDirectory].path, to: user)
            try Privileges.become(user)
        }
        await relay.relay.start()
    }

    /// Swaps settings, rules, keys and certificate at once, or throws and changes nothing. Listeners, folders and the
    /// resolver stay: they need a restart, which is logged when they differ.
    public func reload(_ fresh: Settings) throws {
        live.swap(try LiveParts(fresh, on: ground))
        let changed = Known.fixedAtStart.filter { settings.text(of: $0) != fresh.text(of: $0) }.map(\.key)
        guard !changed.isEmpty else { return }
        logger.warning("these settings take effect at the next start", metadata: ["settings": "\(changed.joined(separator: ", "))"])
    }

    /// Stops taking mail, lets transactions in flight finish within the deadline, closes what is open.
    public func stop() async {
        let grace = settings[Known.shutdownTimeout].duration
        await servers.shutdown(deadline: grace)
        await relay.relay.stop(within: grace)
        ledger.close()
        resolver.close()
        try? await group.shutdownGracefully()
    }
}

extension Known {
    /// What a reload does not change: everything but destinations, tags, rules, keys, certificate and identities.
    static let fixedAtStart: [any AnySetting] = all.filter { setting in
        ![mydestination.key, postmaster.key, recipientDelimiter.key, authservID.key, policyDirectory.key, certFile.key, keyFile.key,
          dkimKeys.key, milters.key, milterDefaultAction.key, milterConnectTimeout.key,
          milterCommandTimeout.key, milterContentTimeout.key].contains(setting.key)
    }
}
