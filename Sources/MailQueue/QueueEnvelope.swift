import Foundation
import InternetMessage

/// A queued message's envelope: who sent it, to whom, and how far each recipient has come.
public struct QueueEnvelope: Codable, Sendable, Hashable {
    /// Names the message in the queue, in logs and in Received headers: letters, digits, `.`, `_`, `-`; at most 100.
    public let id: String
    public let arrival: Date
    public var sender: QueueSender
    public var recipients: [QueueRecipient]
    /// Kept back: nothing is tried until it is released.
    public var hold: QueueHold?
    /// Of a notification: what it tells of another message.
    public var settles: QueueSettlement?

    public init(id: String, arrival: Date, sender: QueueSender, recipients: [QueueRecipient], hold: QueueHold? = nil, settles: QueueSettlement? = nil) {
        self.id = id
        self.arrival = arrival
        self.sender = sender
        self.recipients = recipients
        self.hold = hold
        self.settles = settles
    }

    /// The indexes of the recipients that are not settled.
    public var pending: [Int] { recipients.indices.filter { !recipients[$0].status.isTerminal } }
}

/// The reverse-path and what MAIL said with it.
public struct QueueSender: Codable, Sendable, Hashable {
    @StoredOptionalAddress public var address: EmailAddress?
    public var returnContent: ReturnContent?
    /// `ENVID` as given, in xtext (RFC 3461 §4.4).
    public var envelopeID: String?
    /// The client declared SMTPUTF8 (RFC 6531 §3.4).
    public var smtpUTF8: Bool
    /// The client declared `BODY=8BITMIME` (RFC 6152).
    public var eightBitMIME: Bool
    /// The client declared REQUIRETLS (RFC 8689).
    public var requireTLS: Bool

    /// `RET` (RFC 3461 §4.3).
    public enum ReturnContent: String, Codable, Sendable, Hashable { case full = "FULL", headers = "HDRS" }

    /// - Parameter address: nil for the null reverse-path.
    public init(_ address: EmailAddress?, returnContent: ReturnContent? = nil, envelopeID: String? = nil,
                smtpUTF8: Bool = false, eightBitMIME: Bool = false, requireTLS: Bool = false) {
        _address = StoredOptionalAddress(wrappedValue: address)
        self.returnContent = returnContent
        self.envelopeID = envelopeID
        self.smtpUTF8 = smtpUTF8
        self.eightBitMIME = eightBitMIME
        self.requireTLS = requireTLS
    }
}

/// One recipient in the queue.
public struct QueueRecipient: Codable, Sendable, Hashable {
    @StoredAddress public var address: EmailAddress
    /// What the client said at RCPT, before aliases and filters.
    @StoredAddress public var original: EmailAddress
    /// `NOTIFY` (RFC 3461 §4.1): nil when not given, empty for `NEVER`.
    public var notify: Set<Notify>?
    /// `ORCPT` as given: `rfc822;xtext`.
    public var originalRecipient: String?
    public var destination: Destination
    public var status: RecipientStatus

    public enum Notify: String, Codable, Sendable, Hashable, CaseIterable { case success = "SUCCESS", failure = "FAILURE", delay = "DELAY" }

    /// Where the message goes for this recipient.
    public enum Destination: Codable, Sendable, Hashable {
        case local(LocalDestination)
        case remote
    }

    public init(_ address: EmailAddress, original: EmailAddress? = nil, notify: Set<Notify>? = nil, originalRecipient: String? = nil,
                destination: Destination = .remote, status: RecipientStatus) {
        _address = StoredAddress(wrappedValue: address)
        _original = StoredAddress(wrappedValue: original ?? address)
        self.notify = notify
        self.originalRecipient = originalRecipient
        self.destination = destination
        self.status = status
    }

    /// Whether the sender wants to hear of this: without NOTIFY, of failure (and delay) only (RFC 3461 §4.1).
    public func wants(_ kind: Notify) -> Bool { notify.map { $0.contains(kind) } ?? (kind != .success) }
}

/// A copy for an account of ours.
public struct LocalDestination: Codable, Sendable, Hashable {
    public var account: String
    /// nil for INBOX.
    public var folder: String?
    public var keywords: Set<String>
    /// System flags as the store numbers them (`MessageFlags.rawValue`).
    public var flags: UInt8

    public init(account: String, folder: String? = nil, keywords: Set<String> = [], flags: UInt8 = 0) {
        self.account = account
        self.folder = folder
        self.keywords = keywords
        self.flags = flags
    }
}
