import Foundation

/// A message as a list shows it.
public struct QueueRow: Codable, Sendable, Hashable {
    public struct Recipient: Codable, Sendable, Hashable {
        public var address: String
        public var attempts: Int
        public var nextAttempt: Date
        /// What the last attempt met; nil before the first.
        public var reason: String?
    }

    public var id: String
    public var arrival: Date
    /// Octets of the content.
    public var byteCount: Int
    /// Empty for the null sender.
    public var sender: String
    /// Those that wait.
    public var recipients: [Recipient]
    public var held: QueueHold?
    /// What the server does with it now: `delivering`, `waiting for its turn`; nil when it waits for its time.
    public var activity: String?

    public init(_ message: QueuedMessage) {
        let envelope = message.envelope
        id = envelope.id
        arrival = envelope.arrival
        byteCount = message.byteCount
        sender = envelope.sender.address?.description ?? ""
        held = envelope.hold
        recipients = envelope.pending.compactMap { index in
            guard case .pending(let state) = envelope.recipients[index].status else { return nil }
            return Recipient(address: envelope.recipients[index].address.description, attempts: state.attempts, nextAttempt: state.nextAttempt,
                             reason: state.lastNote?.words)
        }
    }

    /// When the first recipient is tried next; nil while it is held.
    public var nextAttempt: Date? { held == nil ? recipients.map(\.nextAttempt).min() : nil }

    /// Why it waits, in words.
    public var reason: String {
        if let held { return "held by \(held.by): \(held.reason)" }
        let told = recipients.compactMap(\.reason)
        guard let first = told.first else { return activity ?? "not tried yet" }
        let others = Set(told).count - 1
        return others > 0 ? "\(first) (and \(others) more)" : first
    }
}

/// All about one message.
public struct QueueDetail: Codable, Sendable, Hashable {
    public struct Recipient: Codable, Sendable, Hashable {
        public var address: String
        /// What the client named, before aliases.
        public var original: String
        /// `pending`, `delivered` or `failed`.
        public var status: String
        public var attempts: Int
        public var nextAttempt: Date?
        /// What each attempt met, the first one first.
        public var history: [Event]
        /// The account, for a copy that stays here.
        public var account: String?
    }

    public struct Event: Codable, Sendable, Hashable {
        public var time: Date
        public var status: String
        public var text: String
    }

    public var row: QueueRow
    public var recipients: [Recipient]
    public var envelopeID: String?
    public var smtpUTF8: Bool

    public init(_ message: QueuedMessage, history: [(recipient: Int, status: RecipientStatus)], row: QueueRow) {
        self.row = row
        envelopeID = message.envelope.sender.envelopeID
        smtpUTF8 = message.envelope.sender.smtpUTF8
        recipients = message.envelope.recipients.enumerated().map { index, recipient in
            let events = history.filter { $0.recipient == index }.compactMap { Self.event($0.status) }
            var out = Recipient(address: recipient.address.description, original: recipient.original.description, status: "pending", attempts: 0,
                                nextAttempt: recipient.status.nextAttempt, history: events)
            switch recipient.status {
            case .pending(let state): out.attempts = state.attempts
            case .delivered: out.status = "delivered"
            case .failed: out.status = "failed"
            }
            if case .local(let place) = recipient.destination { out.account = place.account }
            return out
        }
    }

    private static func event(_ status: RecipientStatus) -> Event? {
        switch status {
        case .pending(let state): state.lastNote.map { Event(time: $0.time, status: "put off", text: $0.words) }
        case .delivered(let note): Event(time: note.time, status: "delivered", text: note.words)
        case .failed(let note): Event(time: note.time, status: "failed", text: note.words)
        }
    }
}
