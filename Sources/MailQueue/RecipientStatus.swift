import Foundation

/// How far the delivery to one recipient has come.
public enum RecipientStatus: Codable, Sendable, Hashable {
    case pending(PendingDelivery)
    /// Handed over or stored: nothing more is owed.
    case delivered(DeliveryNote)
    /// Given up; the sender has been told if a notice was due.
    case failed(DeliveryNote)

    public var isTerminal: Bool { if case .pending = self { false } else { true } }

    /// When the next attempt is due; nil when terminal.
    public var nextAttempt: Date? { if case .pending(let state) = self { state.nextAttempt } else { nil } }

    /// The state of a recipient that was never tried.
    public static func fresh(at time: Date) -> RecipientStatus { .pending(PendingDelivery(nextAttempt: time)) }
}

/// A recipient that waits for its next attempt.
public struct PendingDelivery: Codable, Sendable, Hashable {
    public var nextAttempt: Date
    /// Attempts made so far.
    public var attempts: Int
    /// What the last attempt met, nil before the first.
    public var lastNote: DeliveryNote?
    /// The sender has had its one notice of delay.
    public var delayNoticed: Bool

    public init(nextAttempt: Date, attempts: Int = 0, lastNote: DeliveryNote? = nil, delayNoticed: Bool = false) {
        self.nextAttempt = nextAttempt
        self.attempts = attempts
        self.lastNote = lastNote
        self.delayNoticed = delayNoticed
    }
}

/// What one attempt ended with, as logs and status notifications tell it.
public struct DeliveryNote: Codable, Sendable, Hashable {
    /// RFC 3463's `class.subject.detail`.
    public var status: String
    /// In words; the remote server's reply or our own finding.
    public var text: String
    /// The reply code when a remote server spoke (for `Diagnostic-Code: smtp;`), nil when the finding is ours.
    public var replyCode: Int?
    /// The server's name, nil when none was reached.
    public var remoteMTA: String?
    /// On what it rests, in a word: `reply`, `connection`, `tls`, `dns` or `here`; nil of success and in older records.
    public var cause: String?
    public var time: Date

    public init(status: String, text: String, replyCode: Int? = nil, remoteMTA: String? = nil, cause: String? = nil, time: Date) {
        self.cause = cause
        self.status = status
        self.text = text
        self.replyCode = replyCode
        self.remoteMTA = remoteMTA
        self.time = time
    }
}
