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
        /// Last touch to mail made here, as filtering and signing it.
        /// - Parameter mayWait: whether it may throw to have the notification tried again later. Not of a success, which is
        ///   told once, nor when the message told of is older than ``patience``: it would stay for ever.
        public var prepareGenerated: @Sendable (_ notice: Submission, _ mayWait: Bool) async throws -> Submission = { notice, _ in notice }
        /// Seconds that a notification may wait from the arrival of the message told of on (`maximal_queue_lifetime`).
        public var patience: TimeInterval = 5 * 86_400
        /// Told of each notification that was queued or stored, for its record.
        public var sent: @Sendable (StatusNotification, Submission, Accepted) -> Void = { _, _, _ in }
        /// Where an address's mail goes: to accounts of ours or away.
        /// - Throws: what keeps that from being known now; the notification is then tried again later.
        public var route: @Sendable (EmailAddress) async throws -> [RoutedRecipient]
        /// Whom to tell of a message with this sender, where that is not the sender itself but stands for somebody else.
        public var author: @Sendable (EmailAddress) -> EmailAddress = { $0 }

        public init(hostName: String, route: @escaping @Sendable (EmailAddress) async throws -> [RoutedRecipient]) {
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
        /// What the notification will have settled of that message once it is queued.
        public var settles: [Int: RecipientStatus] = [:]

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
        guard let to = subject.sender.address.map(settings.author) else {
            log.info("\(subject.id): \(action.rawValue) with the null sender: no notification")
            return
        }
        let (settings, now) = (settings, clock.now())
        let id = Self.id(action, subject) ?? settings.makeID()
        guard acceptor.queue.entry(id) == nil else { return log.info("\(subject.id): sender notification (\(action.rawValue)) is in the queue already: \(id)") }
        let made: (StatusNotification, Message)? = try await pool.run {
            let original = try subject.original()
            let wanted = action == .delayed && Self.isBulk(original) ? wanted.filter { $0.recipient.notify != nil } : wanted
            guard !wanted.isEmpty else { return nil }
            let notification = StatusNotification(
                id: id, action: action, hostName: settings.hostName, sender: subject.sender, to: to, originalID: subject.id,
                arrival: subject.arrival, now: now, retryUntil: retryUntil, entries: wanted, original: original,
                returnLimit: settings.returnLimit)
            return (notification, try notification.message())
        }
        guard let made else { return }
        let mayWait = Self.kind(action) != .success && now < subject.arrival + settings.patience
        try await hand(made.0, made.1, subject, mayWait: mayWait)
        log.info("\(subject.id): sender notification (\(action.rawValue)): \(made.0.id)")
    }

    /// The same for the same recipients of a message, so that one whose record a crash has lost is made no second time.
    /// - Returns: nil for what is told once in any case.
    private static func id(_ action: StatusNotification.Action, _ subject: Subject) -> String? {
        guard !subject.settles.isEmpty else { return nil }
        // FNV-1a, 32 bits: it tells the notifications of one message apart.
        var state: UInt32 = 0x811c_9dc5
        for byte in "\(action.rawValue) \(subject.settles.keys.sorted())".utf8 { state = (state ^ UInt32(byte)) &* 0x0100_0193 }
        return subject.id + "-" + String(state, radix: 36, uppercase: true)
    }

    private func hand(_ notification: StatusNotification, _ message: Message, _ subject: Subject, mayWait: Bool) async throws {
        // NOTIFY=NEVER whatever the route says.
        let recipients = try await settings.route(notification.to).map { recipient in
            var recipient = recipient
            recipient.notify = []
            return recipient
        }
        // NOTIFY=NEVER and the null sender: a notification that fails tells nobody (RFC 3461 §5.1, §6.1).
        // It holds the header of the message told of: what guarded that guards it too (RFC 8689 §5).
        let sender = QueueSender(nil, smtpUTF8: notification.isInternational, requireTLS: subject.sender.requireTLS)
        var notice = Submission(id: notification.id, sender: sender, recipients: recipients, message: message)
        if !subject.settles.isEmpty { notice.settles = QueueSettlement(id: subject.id, statuses: subject.settles) }
        let prepared = try await settings.prepareGenerated(notice, mayWait)
        settings.sent(notification, prepared, try await acceptor.accept(prepared))
    }

    /// For ``MailAcceptor``'s `stored`: tells the sender of copies that were stored at once. What cannot be told is logged.
    public func stored(_ submission: Submission, _ recipients: [Int]) async {
        for notice in submission.notices { await answer(notice, of: submission) }
        guard !recipients.isEmpty else { return }
        let note = DeliveryNote(status: "2.0.0", text: "stored", time: clock.now())
        let entries = recipients.map { StatusNotification.Entry(submission.recipients[$0].queued(.delivered(note)), note) }
        let subject = Subject(id: submission.id, arrival: clock.now(), sender: submission.sender, original: { submission.message })
        do { try await send(.delivered, about: subject, entries) } catch {
            log.warning("\(submission.id): the success notification cannot be queued: \(error)")
        }
    }

    /// For an alias that ends the sender's request (RFC 3461 §5.2.7).
    private func answer(_ notice: Submission.Notice, of submission: Submission) async {
        let note = DeliveryNote(status: "2.0.0", text: notice.action == .expanded ? "passed on to several addresses" : "passed on to a list", time: clock.now())
        let subject = Subject(id: submission.id, arrival: clock.now(), sender: submission.sender, original: { submission.message })
        do { try await send(notice.action, about: subject, [.init(notice.recipient.queued(.delivered(note)), note)]) } catch {
            log.warning("\(submission.id): the success notification cannot be queued: \(error)")
        }
    }

    /// Mail of lists and of programs: nobody reads its sender's mailbox for news of delays that nobody asked for. Failures
    /// are told all the same, since lists go by them.
    static func isBulk(_ message: Message) -> Bool {
        if let word = message.header.first("Auto-Submitted")?.value.split(separator: ";").first, word.trimmingCharacters(in: .whitespaces).lowercased() != "no" { return true }
        if message.header.first("List-Id") != nil { return true }
        return ["bulk", "list", "junk"].contains(message.header.first("Precedence")?.value.lowercased() ?? "")
    }

    private static func kind(_ action: StatusNotification.Action) -> QueueRecipient.Notify {
        switch action {
        case .failed: .failure
        case .delayed: .delay
        case .delivered, .relayed, .expanded: .success
        }
    }
}
