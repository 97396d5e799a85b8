import Accounts
import BlockingPool
import DNS
import DovecotAuth
import Foundation
import IMAPServer
import InternetMessage
import Logging
import MailStore
import Milter
import MilterServer
import NIOCore
import NetworkAddress
import SMTPServer
import Synchronization
import TLS

/// Every listener of a gateway, bound and ended together.
final class GatewayServers: Sendable {
    struct Listener: Sendable {
        let name: String
        let address: String
        let port: Int?
    }

    private let settings: Settings
    private let live: Live
    private let logger: Logger
    private let smtp: SMTPServer
    private let imap: [(name: String, address: ListenAddress, server: IMAPServer)]
    private let milter: MilterServer?
    private let auth: DovecotAuthServer?
    private let bound = Mutex<[Listener]>([])

    init(_ settings: Settings, live: Live, ground: LiveParts.Ground, sink: any MessageSink, handover: HintHandover, store: MailStore,
         group: any EventLoopGroup, pool: BlockingPool, ids: TransactionIDs, observer: any TransactionObserver) throws {
        self.settings = settings
        self.live = live
        logger = ground.logger
        let resolver = ground.resolver
        smtp = SMTPServer(
            configuration: try Self.smtpConfiguration(settings), chain: { live.current.chains.chain(forListener: $0.name) }, authenticator: ground.accounts,
            recipients: LiveDirectory(live: live, store: store), sink: sink, tls: { live.current.tls }, pool: pool, group: group, logger: ground.logger,
            reverseName: { await ReverseNameCheck.run($0, resolver).verifiedName }, ids: ids, observer: observer)
        imap = Self.imapConfigurations(settings).map { name, address, configuration in
            (name, address, IMAPServer(configuration: configuration, store: store, authenticator: ground.accounts,
                                       tls: { live.current.tls.map { TLSUpgrade($0) } }, quota: StoreQuota(store), pool: pool, group: group, logger: ground.logger))
        }
        milter = try Self.milter(settings, live: live, pool: pool, ids: ids, logger: logger, observer: observer) { handover.note($0, $1) }
        auth = try LocalServices.auth(settings, accounts: ground.accounts, group: group, logger: logger)
    }

    /// `smtp 0.0.0.0:25`, one for each.
    var descriptions: [String] { bound.withLock { $0.map { "\($0.name) \($0.address)" } } }
    func port(of name: String) -> Int? { bound.withLock { $0.first { $0.name == name }?.port } }

    /// Binds every listener; who connects waits until ``accept()``.
    /// - Throws: the first that cannot be had, after ending those that could.
    func bind() async throws {
        do {
            var all = try await smtp.bind().map { Listener(name: $0.listener, address: $0.host.hasPrefix("/") ? "unix:\($0.host)" : "\($0.host):\($0.port)", port: $0.port) }
            for one in imap {
                do {
                    let address = try await one.server.bind()
                    all.append(Listener(name: one.name, address: "\(address.ipAddress ?? ""):\(address.port ?? 0)", port: address.port))
                } catch {
                    throw SMTPServerError(error, SMTPListener(name: one.name, host: one.address.host?.description ?? "::", port: one.address.port))
                }
            }
            for address in try await auth?.bind() ?? [] { all.append(Listener(name: "dovecot_auth", address: "\(address)", port: address.port)) }
            if let milter {
                try milter.bind()
                all.append(Listener(name: "milter", address: settings[Known.listenMilter], port: nil))
            }
            bound.withLock { $0 = all }
        } catch {
            await shutdown(deadline: .zero)
            throw error
        }
    }

    /// Connections open now, by protocol.
    var connectionCounts: [(name: String, count: Int)] {
        let sessions = Dictionary(imap.map { ($0.name, $0.server.connectionCount) }, uniquingKeysWith: +)
        return [("smtp", smtp.connectionCount)] + sessions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Takes clients at every listener.
    func accept() async throws {
        try await smtp.accept()
        for one in imap { try await one.server.accept() }
        try await auth?.accept()
        milter?.serve()
    }

    func shutdown(deadline: Duration) async {
        async let milterEnds: Void? = milter?.stop()
        async let smtpEnds: Void = smtp.shutdown(deadline: .nanoseconds(Int64(deadline / .nanoseconds(1))))
        let end = ContinuousClock.now + min(deadline, .seconds(5))
        for one in imap { await one.server.shutdown(deadline: end) }
        await auth?.stop()
        _ = await (milterEnds, smtpEnds)
    }

    // MARK: From settings to configurations

    private static func smtpConfiguration(_ settings: Settings) throws -> SMTPServerConfiguration {
        // Every address: a dual-stack socket takes IPv4 clients too.
        func hosts(_ addresses: [ListenAddress]) -> [(host: String, port: Int)] { addresses.map { ($0.host?.description ?? "::", $0.port) } }
        // Submission asks for a log-in, and a log-in for TLS: without a certificate there is none of it.
        let hasTLS = settings.hasTLS
        var out = SMTPServerConfiguration(
            hostname: settings[Known.myhostname],
            listeners: hosts(settings[Known.listenSMTP]).map { .smtp(host: $0.host, port: $0.port) }
                + (hasTLS ? hosts(settings[Known.listenSubmission]).map { .submission(host: $0.host, port: $0.port) } : [])
                + (hasTLS ? hosts(settings[Known.listenSubmissions]).map { .submissions(host: $0.host, port: $0.port) } : [])
                + (try LocalServices.lmtp(settings)),
            spoolFolder: settings[Known.dataDirectory].path + "/spool")
        out.messageSizeLimit = settings[Known.messageSizeLimit]
        out.recipientLimit = settings[Known.recipientLimit]
        out.ownNetworks = settings[Known.mynetworks]
        out.xclientNetworks = settings[Known.xclientHosts]
        out.recipientDelimiter = settings[Known.recipientDelimiter]
        out.commandTimeout = .seconds(Int64(settings[Known.smtpdTimeout].seconds))
        out.connectionLimit = settings[Known.connectionLimit] == 0 ? .max : settings[Known.connectionLimit]
        out.connectionLimitPerClient = settings[Known.clientConnectionLimit] == 0 ? .max : settings[Known.clientConnectionLimit]
        out.clientRates = ClientRateLimits(
            connections: settings[Known.clientConnectionRate], messages: settings[Known.clientMessageRate], recipients: settings[Known.clientRecipientRate],
            window: settings[Known.rateTimeUnit].duration)
        out.hideAuthenticatedUser = !settings[Known.receivedHeaderUser]
        out.hopLimit = settings[Known.hopcountLimit]
        return out
    }

    private static func imapConfigurations(_ settings: Settings) -> [(String, ListenAddress, IMAPServerConfiguration)] {
        let wanted = settings[Known.listenIMAP].map { ("imap", $0) } + settings[Known.listenIMAPS].map { ("imaps", $0) }
        func limit(_ setting: Setting<Int>) -> Int { settings[setting] == 0 ? .max : settings[setting] }
        return wanted.map { name, address in
            // Every address: a dual-stack socket takes IPv4 clients too.
            var configuration = IMAPServerConfiguration(
                host: address.host?.description ?? "::", port: address.port, implicitTLS: name == "imaps", serverName: settings[Known.myhostname].text,
                maximumConnections: limit(Known.imapConnectionLimit), maximumConnectionsPerClient: limit(Known.imapClientConnectionLimit))
            configuration.hierarchySeparator = settings[Known.hierarchySeparator].first ?? "/"
            return (name, address, configuration)
        }
    }

    private static func milter(_ settings: Settings, live: Live, pool: BlockingPool, ids: TransactionIDs, logger: Logger, observer: any TransactionObserver,
                               accepted: @escaping @Sendable (String, Transaction) -> Void) throws -> MilterServer? {
        let socket = settings[Known.listenMilter]
        guard !socket.isEmpty else { return nil }
        var configuration = MilterServerConfiguration(
            socket: socket, ownNetworks: settings[Known.mynetworks], messageSizeLimit: settings[Known.messageSizeLimit],
            spoolFolder: settings[Known.dataDirectory].path + "/spool")
        if configuration.isUnixSocket {
            configuration.socketMode = mode_t(settings[Known.unixSocketMode].bits)
            configuration.socketGroup = try LocalServices.socketGroup(settings)
        }
        return MilterServer(configuration: configuration, chain: { live.current.milterChain }, makeID: { ids.next() }, pool: pool, logger: logger,
                            observer: observer, accepted: accepted)
    }
}

/// The address book in force.
private struct LiveDirectory: RecipientDirectory {
    let live: Live
    let store: MailStore
    func standing(of address: EmailAddress) async -> RecipientStanding { await live.current.book.standing(of: address) }
    func standing(of address: EmailAddress, from sender: EmailAddress?) async -> RecipientStanding {
        let book = live.current.book
        let standing = await book.standing(of: address, from: sender)
        guard standing == .local, store.limit.octets > 0 else { return standing }
        return isFull(address, sender, book) ? .full(isTemporary: store.limit.isTemporary) : .local
    }

    /// Whether all that the address leads to are mailboxes here without room. What cannot be found out shows when it is stored.
    private func isFull(_ address: EmailAddress, _ sender: EmailAddress?, _ book: AddressBook) -> Bool {
        guard let places = try? book.destinations(of: address, from: sender), !places.isEmpty else { return false }
        return places.allSatisfy { place in if case .account(let name) = place.kind { (try? store.isFull(name)) ?? false } else { false } }
    }

    func mayWrite(_ account: Account, as address: EmailAddress) async -> Bool { live.current.book.mayWrite(account.name, as: address) }
}
