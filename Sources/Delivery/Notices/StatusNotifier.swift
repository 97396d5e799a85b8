import BlockingPool
import Foundation
import InternetMessage
import Logging
import MailQueue

/// Makes status notifications and gives them to the acceptor, so that each is durable before it counts as sent.
public struct StatusNotifier: Sendable {
    public struct Settings: Sendable {
        public var hostName: String
        /// Octets of a failed message that RET=FULL returns; a larger one is returned as its header (`bounce_size_limit`).
        public var returnLimit = 50_000
        /// Unique in this installation, valid as a queue id.
        public var makeID: @Sendable () -> String = {
            String(UInt64(Date().timeIntervalSince1970 * 1_000_000), radix: 36) + "-" + String(UInt32.random(in: .min ... .max), radix: 36)
        }
        /// Last touch to mail made here, as signing it; gets the notification and its author's address.
        public var prepareGenerated: @Sendable (Message, EmailAddress) async -> Message = { message, _ in message }
        /// Where an address's mail goes: to an account of ours or away.
        /// - Throws: what keeps that from being known now; the notification is then tried again later.
        public var route: @Sendable (EmailAddress) async throws -> QueueRecipient.Destination

        public init(hostName: String, route: @escaping @Sendable (EmailAddress) async throws -> QueueRecipient.Destination) {
            self.hostName = hostName
            self.route = route
        }
    }

    let settings: Settings
    let acceptor: MailAcceptor
    let pool: BlockingPool
    let clock: any RelayClock
    let log: Logger

    public init(settings: Settings, acceptor: MailAcceptor, pool: BlockingPool, clock: any RelayClock = SystemRelayClock(), log: Logger) {
        self.settings = settings
        self.acceptor = acceptor
        self.pool = pool
        self.clock = clock
        self.log = log
    }

    /// What a notification is about.
    public struct Subject: Sendable {
        public var id: String
        public var arrival: Date
        public var sender: QueueSender
        /// Reads the message told of. May block.
        public var original: @Sendable () throws -> Message

        public init(id: String, arrival: Date, sender: QueueSender, original: @escaping @Sendable () throws -> Message) {
            self.id = id
            self.arrival = arrival
            self.sender = sender
            self.original = original
        }
    }

    /// Sends one notification of those entries whose NOTIFY asks for it; none for the null sender (RFC 3464 §2,
    /// RFC 5321 §6.1). Returns when it is durable.
    /// - Throws: what kept it from being queued; the caller must not settle the recipients then.
    public func send(_ action: StatusNotification.Action, about subject: Subject, _ entries: [StatusNotification.Entry], retryUntil: Date? = nil) async throws {
        let wanted = entries.filter { $0.recipient.wants(Self.kind(action)) }
        guard !wanted.isEmpty else { return }
        guard let to = subject.sender.address else {
            log.info("\(subject.id): \(action.rawValue) with the null sender: no notification")
            return
        }
        let (settings, now) = (settings, clock.now())
        let made = try await pool.run {
            let notification = StatusNotification(
                id: settings.makeID(), action: action, hostName: settings.hostName, sender: subject.sender, to: to, originalID: subject.id,
                arrival: subject.arrival, now: now, retryUntil: retryUntil, entries: wanted, original: try subject.original(),
                returnLimit: settings.returnLimit)
            return (notification, try notification.message())
        }
        try await hand(made.0, made.1)
        log.info("\(subject.id): sender notification (\(action.rawValue)): \(made.0.id)")
    }

    private func hand(_ notification: StatusNotification, _ message: Message) async throws {
        var message = message
        if let author = notification.author { message = await settings.prepareGenerated(message, author) }
        let recipient = RoutedRecipient(notification.to, notify: [], destination: try await settings.route(notification.to))
        // NOTIFY=NEVER and the null sender: a notification that fails tells nobody (RFC 3461 §5.1, §6.1).
        let sender = QueueSender(nil, smtpUTF8: notification.needsUTF8)
        _ = try await acceptor.accept(Submission(id: notification.id, sender: sender, recipients: [recipient], message: message))
    }

    /// For ``MailAcceptor``'s `stored`: tells the sender of copies that were stored at once. What cannot be told is logged.
    public func stored(_ submission: Submission, _ recipients: [Int]) async {
        let note = DeliveryNote(status: "2.0.0", text: "stored", time: clock.now())
        let entries = recipients.map { StatusNotification.Entry(submission.recipients[$0].queued(.delivered(note)), note) }
        let subject = Subject(id: submission.id, arrival: clock.now(), sender: submission.sender, original: { submission.message })
        do { try await send(.delivered, about: subject, entries) } catch {
            log.warning("\(submission.id): the success notification cannot be queued: \(error)")
        }
    }

    private static func kind(_ action: StatusNotification.Action) -> QueueRecipient.Notify {
        switch action {
        case .failed: .failure
        case .delayed: .delay
        case .delivered, .relayed: .success
        }
    }
}
