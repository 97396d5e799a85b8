import Accounts
import BlockingPool
import DKIMKeys
import DMARCRecords
import DNS
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
    private let evaluations: DMARCRecordStore?
    private let ground: LiveParts.Ground
    private let live: Live
    private let resolver: UnboundResolver
    private let relay: RelayWiring
    private let servers: GatewayServers
    private let keyWatch: KeyWatch
    private let group: MultiThreadedEventLoopGroup
    private let pool: BlockingPool
    private let logger: Logger

    /// Opens everything on disk and reads rules, keys and certificate; binds nothing yet. Blocks.
    /// - Throws: what is wrong, in words for an operator.
    public init(_ settings: Settings, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        let data = settings[Known.dataDirectory].path
        let user = try Privileges.target(settings[Known.user])
        try DataFolder.prepare(data, owner: user)
        if let user { try DataFolder.handOver(data, to: user) }
        pool = BlockingPool(threads: 16, name: "pool")
        group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        resolver = try ResolverSettings.resolver(settings)
        let (pool, queueMinfree) = (pool, settings[Known.queueMinfree])
        // As the user that goes on: databases and folders that root made could not be written later.
        let opened = try Privileges.acting(as: user) { try Stores(data, settings, queueMinfree: queueMinfree, pool: pool, logger: logger) }
        (accounts, ledger, store, evaluations) = (opened.accounts, opened.ledger, opened.store, opened.evaluations)
        ground = LiveParts.Ground(resolver: CachingResolver(resolver), accounts: accounts, ledger: ledger, evaluations: evaluations, group: group, logger: logger)
        live = Live(try LiveParts(settings, on: ground))
        keyWatch = KeyWatch(live: live, ground: ground)
        let ids = TransactionIDs()
        relay = try RelayWiring(settings, live: live, ground: ground, queue: opened.queue, store: store, group: group, pool: pool, ids: ids)
        let handover = HintHandover()
        let sink = DeliverySink(live: live, acceptor: relay.acceptor, logger: logger, handover: handover)
        servers = try GatewayServers(settings, live: live, ground: ground, sink: sink, handover: handover, store: store, group: group, pool: pool, ids: ids)
    }

    /// `smtp 0.0.0.0:25`, one for each bound listener.
    public var listeners: [String] { servers.descriptions }

    /// Where a listener was bound, for callers that asked for port 0.
    public func port(of listener: String) -> Int? { servers.port(of: listener) }

    /// Binds the ports, gives up root, and only then takes clients and starts the queue.
    public func start() async throws {
        try await servers.bind()
        if settings[Known.certFile].isEmpty, !(settings[Known.listenSubmission] + settings[Known.listenSubmissions]).isEmpty {
            logger.warning("no submission: without smtpd_tls_cert_file nobody can log in, so those ports are not served")
        }
        if let user = try Privileges.target(settings[Known.user]) {
            try KeyStore(folder: settings.dkimKeyFolder).handOver(uid: user.uid, gid: user.gid)
            try Privileges.become(user)
            warnOfReload(user)
        } else if geteuid() == 0 {
            logger.warning("running as root: set user = \"postern\" or start as another user with CAP_NET_BIND_SERVICE")
        }
        try await servers.accept()
        await relay.relay.start()
        keyWatch.start()
    }

    /// Root could read what the user cannot: better known now than when a certificate was renewed.
    private func warnOfReload(_ user: Privileges.User) {
        let files = [settings[Known.certFile].path, settings[Known.keyFile].path, settings[Known.policyDirectory].path]
            + settings[Known.dkimKeys].map(\.keyFile.path)
        let closed = Privileges.unreadable(files)
        guard !closed.isEmpty else { return }
        logger.warning("a reload will be refused: user \(user.name) cannot read these; give them to it (chown \(user.name))",
                       metadata: ["files": "\(closed.joined(separator: ", "))"])
    }

    /// Swaps settings, rules, keys and certificate at once, or throws and changes nothing. Listeners, folders and the
    /// resolver stay: they need a restart, which is logged when they differ.
    public func reload(_ fresh: Settings) throws {
        try live.reload { _ in try LiveParts(fresh, on: ground) }
        let changed = Known.fixedAtStart.filter { settings.text(of: $0) != fresh.text(of: $0) }.map(\.key)
        guard !changed.isEmpty else { return }
        logger.warning("these settings take effect at the next start", metadata: ["settings": "\(changed.joined(separator: ", "))"])
    }

    /// Stops taking mail, lets transactions in flight finish within the deadline, closes what is open.
    public func stop() async {
        keyWatch.stop()
        let grace = settings[Known.shutdownTimeout].duration
        let end = ContinuousClock.now + grace
        await servers.shutdown(deadline: grace)
        // One deadline for both; deliveries under way get a moment at least, since to cut one off may deliver it twice.
        await relay.relay.stop(within: max(end - ContinuousClock.now, min(grace, .seconds(5))))
        ledger.close()
        evaluations?.close()
        resolver.close()
        try? await group.shutdownGracefully()
    }
}

/// What lies in the data folder.
private struct Stores {
    let accounts: AccountStore
    let ledger: TagLedger
    let store: MailStore
    let evaluations: DMARCRecordStore?
    let queue: MailQueue

    init(_ data: String, _ settings: Settings, queueMinfree: Int, pool: BlockingPool, logger: Logger) throws {
        accounts = try AccountStore(path: data + "/accounts.sqlite", pool: pool)
        var options = TagLedger.Options()
        options.reportFlushFailure = { logger.error("tag ledger", metadata: ["error": "\($0)"]) }
        ledger = try TagLedger(path: data + "/tags.sqlite", mintingKey: try MintingKey.load(data + "/tag-minting.key"), options: options)
        evaluations = try Self.evaluations(settings, logger)
        store = try MailStore(root: data + "/mail")
        queue = try MailQueue(MailQueue.Settings(root: data + "/queue", minimumFreeBytes: queueMinfree))
    }

    private static func evaluations(_ settings: Settings, _ logger: Logger) throws -> DMARCRecordStore? {
        let lifetime = settings[Known.dmarcRecordLifetime]
        guard lifetime.seconds > 0 else { return nil }
        var options = DMARCRecordStore.Options()
        options.keep = lifetime.duration
        options.report = { logger.error("DMARC rows", metadata: ["error": "\($0)"]) }
        return try DMARCRecordStore(path: LiveParts.evaluationFile(settings), options: options)
    }
}

extension Known {
    /// What a reload does not change: everything but destinations, tags, rules, keys, certificate, identities and log level.
    static let fixedAtStart: [any AnySetting] = all.filter { setting in
        ![mydestination.key, postmaster.key, recipientDelimiter.key, authservID.key, trustedRelays.key, policyDirectory.key, certFile.key, keyFile.key,
          dkimKeys.key, dkimKeyDirectory.key, dkimRetirementTime.key, dkimSignatureLimit.key, logLevel.key, milters.key, milterDefaultAction.key, milterConnectTimeout.key,
          milterCommandTimeout.key, milterContentTimeout.key].contains(setting.key)
    }
}
