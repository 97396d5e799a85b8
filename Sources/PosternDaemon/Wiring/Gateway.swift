import Accounts
import Aliases
import BlockingPool
import Control
import DKIMKeys
import DMARCRecords
import DNS
import DecisionRecords
import Delivery
import Foundation
import IMAPServer
import Logging
import MailQueue
import MailStore
import Milter
import NIOCore
import NIOPosix
import Pickup
import PolicySources
import SMTPServer
import TLSReports
import Tags
import UnboundResolver

/// A running installation: the servers, the queue and the store, wired to one set of live parts.
public final class Gateway: Sendable {
    public let settings: Settings
    public let accounts: AccountStore
    public let ledger: TagLedger
    public let store: MailStore
    private let evaluations: DMARCRecordStore?
    private let decisions: DecisionRecordStore?
    private let tlsReports: TLSReportStore
    private let ground: LiveParts.Ground
    private let live: Live
    private let resolver: UnboundResolver
    private let relay: RelayWiring
    private let pickup: PickupService
    private let servers: GatewayServers
    private let control: ControlServer?
    private let queueLock: QueueLock
    private let keyWatch: KeyWatch
    private let tableWatch: TableWatch
    private let certificateWatch: CertificateWatch
    private let web: WebListeners
    private let metricsServers: MetricsListeners
    private let facts: GatewayFacts
    private let acme: ACMEService?
    private let policyState: PolicyState
    private let group: MultiThreadedEventLoopGroup
    private let pool: BlockingPool
    private let logger: Logger

    /// Opens everything on disk and reads rules, keys and certificate; binds nothing yet. Blocks.
    /// - Throws: what is wrong, in words for an operator.
    /// - Parameters:
    ///   - origin: where the settings came from, for `postern status`.
    ///   - problems: what was logged as a warning or worse, for the same.
    public init(_ settings: Settings, logger: Logger, origin: SettingsOrigin = SettingsOrigin(), problems: RecentProblems? = nil) throws {
        facts = GatewayFacts(origin, problems)

        self.settings = settings
        self.logger = logger
        let data = settings[Known.dataDirectory].path
        let user = try Privileges.target(settings[Known.user])
        try DataFolder.prepare(data, owner: user)
        if let user { try DataFolder.handOver(data, to: user) }
        pool = BlockingPool(threads: 16, name: "pool")
        // Loops move octets, the pool does the work: one for each two processors leaves fewer threads to wake for each message.
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(System.coreCount / 2, 1))
        resolver = try ResolverSettings.resolver(settings)
        let (pool, queueMinfree) = (pool, settings[Known.queueMinfree])
        // As the user that goes on: databases and folders that root made could not be written later.
        let opened = try Privileges.acting(as: user) { try Stores(data, settings, queueMinfree: queueMinfree, pool: pool, logger: logger) }
        (accounts, ledger, store, evaluations) = (opened.accounts, opened.ledger, opened.store, opened.evaluations)
        decisions = opened.decisions
        accounts.observe { LogInLog.write($0, logger) }
        try LiveParts.readPasswdFile(settings, into: accounts)
        let journal = opened.decisions.map(DecisionJournal.init)
        (policyState, queueLock) = (opened.policyState, opened.queueLock)
        let metrics = Metrics()
        ground = LiveParts.Ground(resolver: CachingResolver(MeasuredResolver(base: resolver, metrics: metrics)), accounts: accounts, ledger: ledger, evaluations: evaluations, group: group, logger: logger, metrics: metrics,
                                  policyState: policyState)
        live = Live(try LiveParts(settings, on: ground))
        keyWatch = KeyWatch(live: live, ground: ground)
        tableWatch = TableWatch(live: live, logger: logger)
        certificateWatch = CertificateWatch(live: live, logger: logger)
        let challenges = Challenges()
        web = WebListeners(settings, live: live, challenges: challenges, group: group, needsHTTP: settings.needsHTTP, needsHTTPS: settings.needsHTTPS)
        let certificates = CertificateDesks(settings, ground: ground, challenges: challenges, pool: pool)
        acme = try certificates.service()
        let ids = TransactionIDs()
        tlsReports = opened.tlsReports
        relay = try RelayWiring(settings, live: live, ground: ground, queue: opened.queue, store: store, tlsReports: tlsReports, group: group, pool: pool, ids: ids,
                                journal: journal)
        let handover = HintHandover()
        let observer = DecisionObserver(log: DecisionLog(logger: logger, metrics: metrics), journal: journal)
        var sink = DeliverySink(live: live, acceptor: relay.acceptor, logger: logger, handover: handover)
        sink.limits = AccountGuard(live: live, accounts: accounts, ledger: opened.use, administrator: relay.administrator, logger: logger)
        let local = LocalPickup(live: live, local: relay.local, sink: sink, notifier: relay.notifier, ids: ids, logger: logger, observer: observer)
        pickup = PickupService(
            settings: .init(folder: opened.maildrop, sizeLimit: settings[Known.messageSizeLimit], spoolFolder: data + "/spool"), pool: pool, logger: logger,
            take: { await local.take($0) })
        servers = try GatewayServers(settings, live: live, ground: ground, sink: sink, handover: handover, store: store, group: group, pool: pool, ids: ids,
                                     observer: observer)
        let vitals = Vitals(live: live, servers: servers, queue: opened.queue, started: Date())
        let (facts, servers) = (facts, servers)
        control = ControlWiring.server(
            settings, queue: opened.queue, relay: relay.relay, certificates: certificates, pool: pool, group: group, logger: logger,
            status: { vitals.report(listeners: servers.descriptions + facts.listeners.map { "\($0.name) \($0.address)" }, facts: facts) })
        metricsServers = MetricsListeners(settings, vitals: vitals, metrics: metrics, pool: pool, group: group)
    }

    /// For tests, which look at what a reload put in force.
    var liveForTests: Live { live }

    /// `smtp 0.0.0.0:25`, one for each bound listener.
    public var listeners: [String] { servers.descriptions + facts.listeners.map { "\($0.name) \($0.address)" } }

    /// Where a listener was bound, for callers that asked for port 0.
    public func port(of listener: String) -> Int? { servers.port(of: listener) ?? facts.listeners.first { $0.name == listener }?.port }

    /// Binds the ports, gives up root, and only then takes clients and starts the queue.
    public func start() async throws {
        try await servers.bind()
        do {
            let bound = try await web.bind() + metricsServers.bind()
            facts.bound(bound)
        } catch {
            await servers.shutdown(deadline: .zero)
            throw error
        }
        if live.current.tls == nil, !(settings[Known.listenSubmission] + settings[Known.listenSubmissions]).isEmpty {
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
        try await web.accept()
        try await metricsServers.accept()
        await relay.relay.start()
        pickup.start()
        await ControlWiring.start(control, logger)
        keyWatch.start()
        tableWatch.start()
        certificateWatch.start()
        acme?.start()
    }

    /// Root could read what the user cannot: better known now than when a certificate was renewed.
    private func warnOfReload(_ user: Privileges.User) {
        let roots = Privileges.unreadable(CertificatePlan(settings).all.flatMap(\.paths))
        if !roots.isEmpty {
            logger.warning("a renewed certificate will not be taken until the next start: user \(user.name) cannot read these; let certbot's deploy hook copy them (contrib/certbot)",
                           metadata: ["files": "\(roots.joined(separator: ", "))"])
        }
        if !Privileges.unreadable([settings[Known.passwdFile].path]).isEmpty {
            logger.warning("changes of passwd_file will not be taken until the next start: user \(user.name) cannot read it", metadata: ["file": "\(settings[Known.passwdFile].path)"])
        }
        let files = [settings[Known.policyDirectory].path] + settings[Known.dkimKeys].map(\.keyFile.path) + (settings[Known.aliasMaps] + settings[Known.virtualAliasMaps]).map(\.path)
        let closed = Privileges.unreadable(files)
        guard !closed.isEmpty else { return }
        logger.warning("a reload will be refused: user \(user.name) cannot read these; give them to it (chown \(user.name))",
                       metadata: ["files": "\(closed.joined(separator: ", "))"])
    }

    /// Swaps settings, rules, keys and certificate at once, or throws and changes nothing. Listeners, folders and the
    /// resolver stay: they need a restart, which is logged when they differ.
    public func reload(_ fresh: Settings) throws {
        if fresh[Known.srs] { _ = try SRSSecrets.load(fresh.srsSecretsPath) }
        try live.reload { try LiveParts(fresh, on: ground, previous: $0) }
        facts.reloaded()
        try LiveParts.readPasswdFile(fresh, into: accounts)
        store.setLimit(fresh.mailboxLimit)
        let changed = Known.fixedAtStart.filter { settings.text(of: $0) != fresh.text(of: $0) }.map(\.key)
        guard !changed.isEmpty else { return }
        logger.warning("these settings take effect at the next start", metadata: ["settings": "\(changed.joined(separator: ", "))"])
    }

    /// Stops taking mail, lets transactions in flight finish within the deadline, closes what is open.
    public func stop() async {
        keyWatch.stop()
        tableWatch.stop()
        certificateWatch.stop()
        await acme?.stop()
        await web.stop()
        await metricsServers.stop()
        let grace = settings[Known.shutdownTimeout].duration
        let end = ContinuousClock.now + grace
        await control?.stop()
        await servers.shutdown(deadline: grace)
        await pickup.stop(within: max(end - ContinuousClock.now, .seconds(1)))
        // One deadline for both; deliveries under way get a moment at least, since to cut one off may deliver it twice.
        await relay.relay.stop(within: max(end - ContinuousClock.now, min(grace, .seconds(5))))
        tlsReports.close()
        ledger.close()
        evaluations?.close()
        decisions?.close()
        policyState.close()
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
    let queueLock: QueueLock
    let decisions: DecisionRecordStore?
    let queue: MailQueue
    let tlsReports: TLSReportStore
    let policyState: PolicyState
    let maildrop: DropFolder
    let use: AccountLedger

    init(_ data: String, _ settings: Settings, queueMinfree: Int, pool: BlockingPool, logger: Logger) throws {
        accounts = try AccountStore(path: data + "/accounts.sqlite", pool: pool, lookInterval: .milliseconds(10))
        var options = TagLedger.Options()
        options.reportFlushFailure = { logger.error("tag ledger", metadata: ["error": "\($0)"]) }
        use = try AccountLedger(path: AccountLimits.path(settings))
        ledger = try TagLedger(path: data + "/tags.sqlite", mintingKey: try MintingKey.load(data + "/tag-minting.key"), options: options)
        evaluations = try Self.evaluations(settings, logger)
        decisions = try InstalledRecords.open(settings, logger)
        policyState = try PolicyState(path: data + "/policy.sqlite") { logger.error("counters of accounts", metadata: ["error": "\($0)"]) }
        store = try MailStore(root: data + "/mail", summarizer: IMAPSummarizer())
        store.setLimit(settings.mailboxLimit)
        var reportOptions = TLSReportStore.Options()
        reportOptions.report = { logger.error("TLS session counts", metadata: ["error": "\($0)"]) }
        tlsReports = try TLSReportStore(path: settings.tlsReportFile, options: reportOptions)
        // Made here, where its owner is the user that goes on.
        if settings[Known.srs] { _ = try SRSSecrets.load(settings.srsSecretsPath) }
        queueLock = try QueueAccess.lock(data + "/queue")
        // No limit but the disk.
        queue = try MailQueue(MailQueue.Settings(root: data + "/queue", minimumFreeBytes: queueMinfree, maximumMessages: .max))
        Self.log(queue.recovery, logger)
        maildrop = try Maildrop.prepare(settings)
    }

    private static func log(_ found: Recovery, _ logger: Logger) {
        if found.restored > 0 || found.finished > 0 {
            logger.notice("queue taken up", metadata: [
                "messages": "\(found.restored)", "finished": "\(found.finished)", "leftovers": "\(found.leftovers)", "repaired": "\(found.repaired)", "caught_up": "\(found.caughtUp)",
            ])
        }
        for damage in found.corrupt { logger.error("a damaged queue file was set aside, in queue/corrupt", metadata: ["file": "\(damage.name)", "reason": "\(damage.reason)"]) }
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
