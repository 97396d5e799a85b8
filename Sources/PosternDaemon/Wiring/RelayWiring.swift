import BlockingPool
import Delivery
import Foundation
import InternetMessage
import Logging
import MailQueue
import MailStore
import NIOCore
import NetworkAddress
import SMTPServer
import Synchronization
import TLSReports

/// The way out: acceptor, queue, client and notices, tied together.
struct RelayWiring: Sendable {
    let acceptor: MailAcceptor
    let relay: RelayService
    /// Through the filters for local mail, as everything that is made here.
    let notifier: StatusNotifier
    let local: LocalMail
    let administrator: AdministratorMail

    init(_ settings: Settings, live: Live, ground: LiveParts.Ground, queue: MailQueue, store: MailStore, tlsReports: TLSReportStore, group: any EventLoopGroup,
         pool: BlockingPool, ids: TransactionIDs, journal: DecisionJournal?) throws {
        // The acceptor wakes the relay, the relay's notices go through the acceptor: one of them must learn of the other late.
        let wakeUp = WakeUp()
        var acceptorSettings = MailAcceptor.Settings()
        acceptorSettings.hopcountLimit = settings[Known.hopcountLimit]
        let quiet = MailAcceptor(queue: queue, store: store, pool: pool, settings: acceptorSettings, enqueued: { wakeUp.enqueued($0) })
        var noticeSettings = StatusNotifier.Settings(hostName: settings[Known.myhostname].text) { address in
            try RecipientRoute.generated(address, live.current.book)
        }
        noticeSettings.author = { address in live.current.book.author(behind: address) }
        noticeSettings.makeID = { ids.next() }
        let judged = journal.map { _ in JudgedNotices() }
        if let journal { noticeSettings.sent = { journal.sent($0, $1, $2, judged?.take($1.id)) } }
        local = LocalMail(chain: { live.current.chains[.local] }, pool: pool)
        let filter = NoticeFilter(local: local, book: { live.current.book }, logger: ground.logger, judged: judged)
        administrator = AdministratorMail(live: live, filter: filter, acceptor: quiet, ids: ids)
        noticeSettings.prepareGenerated = { try await filter.pass($0, mayWait: $1) }
        noticeSettings.patience = TimeInterval(settings[Known.maximalQueueLifetime].seconds)
        notifier = StatusNotifier(settings: noticeSettings, acceptor: quiet, pool: pool, log: ground.logger)
        acceptor = MailAcceptor(queue: queue, store: store, pool: pool, settings: acceptorSettings, enqueued: { wakeUp.enqueued($0) },
                                stored: { [notifier] in await notifier.stored($0, $1) })
        let client = try ClientWiring.client(settings, resolver: ground.resolver, group: group, pool: pool, observe: { tlsReports.observe($0) })
        relay = RelayService(settings: Self.relay(settings), queue: queue, store: store, remote: client, notifier: notifier, pool: pool, log: ground.logger,
                             outcome: { [metrics = ground.metrics] in
                                 metrics.delivered($0)
                                 journal?.delivered($0)
                             })
        wakeUp.relay.withLock { $0 = relay }
    }

    private static func relay(_ settings: Settings) -> RelayService.Settings {
        var out = RelayService.Settings()
        out.retry.minimalBackoff = TimeInterval(settings[Known.minimalBackoffTime].seconds)
        out.retry.maximalBackoff = TimeInterval(settings[Known.maximalBackoffTime].seconds)
        out.retry.queueLifetime = TimeInterval(settings[Known.maximalQueueLifetime].seconds)
        out.retry.bounceLifetime = TimeInterval(settings[Known.bounceQueueLifetime].seconds)
        let warning = settings[Known.delayWarningTime].seconds
        out.retry.delayWarning = warning == 0 ? nil : TimeInterval(warning)
        out.initialConcurrency = settings[Known.initialDestinationConcurrency]
        out.destinationConcurrency = settings[Known.destinationConcurrencyLimit]
        out.failedCohortLimit = settings[Known.failedCohortLimit]
        out.totalConcurrency = settings[Known.processLimit]
        out.recipientLimit = settings[Known.destinationRecipientLimit]
        out.destinationLimits = DestinationLimits(settings[Known.destinationLimits].entries.mapValues(\.limits))
        return out
    }
}

/// Tells the relay of new queue entries, once it is there; what comes before, the relay finds in the queue at its start.
private final class WakeUp: Sendable {
    let relay = Mutex<RelayService?>(nil)
    func enqueued(_ id: String) { relay.withLock { $0 }?.enqueued(id) }
}
