import BlockingPool
import Delivery
import Foundation
import InternetMessage
import Logging
import MailQueue
import MailStore
import NIOCore
import NetworkAddress
import SMTPClient
import SMTPServer
import Synchronization
import TLS

/// The way out: acceptor, queue, client and notices, tied together.
struct RelayWiring: Sendable {
    let acceptor: MailAcceptor
    let relay: RelayService

    init(_ settings: Settings, live: Live, ground: LiveParts.Ground, queue: MailQueue, store: MailStore, group: any EventLoopGroup,
         pool: BlockingPool, ids: TransactionIDs) throws {
        // The acceptor wakes the relay, the relay's notices go through the acceptor: one of them must learn of the other late.
        let wakeUp = WakeUp()
        var acceptorSettings = MailAcceptor.Settings()
        acceptorSettings.hopcountLimit = settings[Known.hopcountLimit]
        let quiet = MailAcceptor(queue: queue, store: store, pool: pool, settings: acceptorSettings, enqueued: { wakeUp.enqueued($0) })
        var noticeSettings = StatusNotifier.Settings(hostName: settings[Known.myhostname].text) { address in
            try RecipientRoute.destination(address, live.current.book)
        }
        noticeSettings.makeID = { ids.next() }
        noticeSettings.prepareGenerated = { message, author in
            author.domainName.map { live.current.signing.signed(message, from: $0) } ?? message
        }
        let notifier = StatusNotifier(settings: noticeSettings, acceptor: quiet, pool: pool, log: ground.logger)
        acceptor = MailAcceptor(queue: queue, store: store, pool: pool, settings: acceptorSettings, enqueued: { wakeUp.enqueued($0) },
                                stored: { await notifier.stored($0, $1) })
        let client = SMTPClient(resolver: ground.resolver, group: group, configuration: try Self.client(settings), tls: try Self.tls(settings))
        var relaySettings = RelayService.Settings()
        relaySettings.retry.minimalBackoff = TimeInterval(settings[Known.minimalBackoffTime].seconds)
        relaySettings.retry.maximalBackoff = TimeInterval(settings[Known.maximalBackoffTime].seconds)
        relaySettings.retry.queueLifetime = TimeInterval(settings[Known.maximalQueueLifetime].seconds)
        relay = RelayService(settings: relaySettings, queue: queue, store: store, remote: client, notifier: notifier, pool: pool, log: ground.logger)
        wakeUp.relay.withLock { $0 = relay }
    }

    private static func client(_ settings: Settings) throws -> SMTPClientConfiguration {
        var out = SMTPClientConfiguration(heloName: settings[Known.myhostname].text)
        out.port = settings[Known.smtpPort]
        out.tlsLevel = SMTPClientConfiguration.TLSLevel(settings[Known.smtpTLSSecurityLevel].word)
        out.ownNames = [settings[Known.myhostname]]
        let bind = settings[Known.smtpBindAddress]
        if !bind.isEmpty {
            guard let address = IPAddress(bind), address.family == .v4 else {
                throw SettingsError(file: "settings", faults: [.init(line: nil, text: "smtp_bind_address must be an IPv4 address")])
            }
            out.bindAddress4 = address
        }
        let relayhost = settings[Known.relayhost]
        if !relayhost.isEmpty {
            guard let hop = NextHop(relayhost) else {
                throw SettingsError(file: "settings", faults: [.init(line: nil, text: "relayhost must be a host such as \"mail.example.org\" or \"[192.0.2.1]:25\"")])
            }
            out.relayHost = hop
        }
        return out
    }

    /// OpenSSL under the client: opportunistic without verification, or the system's authorities for the name.
    private static func tls(_ settings: Settings) throws -> ClientTLS {
        let opportunistic = try TLSContext.client(trust: .nobody, legacyCiphers: true)
        let verifying = try TLSContext.client()
        return ClientTLS(opportunistic: opportunistic, verifying: verifying)
    }
}

/// Tells the relay of new queue entries, once it is there; what comes before, the relay finds in the queue at its start.
private final class WakeUp: Sendable {
    let relay = Mutex<RelayService?>(nil)
    func enqueued(_ id: String) { relay.withLock { $0 }?.enqueued(id) }
}

extension SMTPClientConfiguration.TLSLevel {
    init(_ level: TLSSecurityLevel) {
        switch level {
        case .none: self = .none
        case .may: self = .may
        case .encrypt: self = .encrypt
        case .verify: self = .verify
        }
    }
}

/// Where a recipient's copy goes.
enum RecipientRoute {
    /// - Throws: ``AccountError`` when the accounts cannot be read now. To take a recipient of ours for a remote one then
    ///   would send its mail round in circles or back.
    static func destination(_ address: EmailAddress, _ book: AddressBook, folder: String? = nil, keywords: Set<String> = []) throws -> QueueRecipient.Destination {
        guard case .account(let account, _, _) = try book.owner(of: address) else { return .remote }
        return .local(LocalDestination(account: account.name, folder: folder, keywords: keywords))
    }
}
