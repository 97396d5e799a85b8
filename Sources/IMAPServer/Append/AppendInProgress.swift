import IMAPCore
import MailStore

/// An APPEND or REPLACE whose messages are on their way into `tmp`.
final class AppendInProgress {
    /// More messages in one command would only keep more files open.
    static let limit = 1000

    let header: AppendHeader
    let mailbox: Mailbox?
    /// The message that goes when the new one is there (RFC 8508).
    let replaced: UInt32?
    /// Set when the command cannot succeed: to be answered at the next literal, or at the end.
    var failure: Condition?
    private(set) var finished: [PendingMessage] = []
    private(set) var current: PendingMessage?
    /// Octets of the current message.
    private(set) var size = 0
    private var isBinary = false
    private var lines = LineCheck()

    init(_ header: AppendHeader, mailbox: Mailbox?, replaced: UInt32? = nil, failure: Condition? = nil) {
        self.header = header
        self.mailbox = mailbox
        self.replaced = replaced
        self.failure = failure
    }

    func begin(_ message: AppendMessage) throws(StoreError) {
        guard failure == nil, let mailbox else { return }
        guard finished.count < Self.limit else { return failure = .no("at most \(Self.limit) messages in one command", code: .limit) }
        let pending = try mailbox.beginMessage()
        (pending.flags, pending.keywords) = FlagMapping.split(message.flags)
        pending.internalDate = message.date?.unixTime
        current = pending
        size = 0
        lines = LineCheck()
    }

    /// - Parameter literal8: whether the client said that there may be anything in it.
    func expect(literal8: Bool) { isBinary = literal8 }

    func write(_ bytes: [UInt8]) throws(StoreError) {
        size += bytes.count
        if isBinary, !lines.take(bytes) {
            // RFC 3516 §4.4: a Maildir keeps lines; what is none could not be given back as it came.
            failure = .no("binary content cannot be stored", code: .unknownCTE)
        }
        if failure == nil { try current?.append(bytes) }
    }

    func endMessage() {
        if isBinary, !lines.isComplete { failure = .no("binary content cannot be stored", code: .unknownCTE) }
        if let current, failure == nil { finished.append(current) }
        current = nil
    }

    func commit() throws(StoreError) -> AssignedUIDs {
        guard let mailbox else { throw .noSuchMessage(uid: 0) }
        return try mailbox.commit(finished)
    }
}

/// Whether octets are lines that end with CRLF, without NUL: then a store of lines gives back what it was given.
struct LineCheck {
    private var last: UInt8 = 0

    mutating func take(_ bytes: [UInt8]) -> Bool {
        for byte in bytes {
            if byte == 0 || (last == 13) != (byte == 10) { return false }
            last = byte
        }
        return true
    }

    var isComplete: Bool { last != 13 }
}
