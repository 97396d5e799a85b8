/// How far the queue has come with one recipient's copy: one row, renewed with each attempt, so that a message that is
/// tried for five days takes no more room than one that went at once.
public struct DeliveryRecord: Codable, Sendable, Hashable {
    public enum Outcome: String, Codable, Sendable, Hashable { case delivered, deferred, bounced }

    /// The queue entry: the transaction's id, perhaps with `.local` or a number behind it.
    public var queueID: String
    public var recipient: String
    public var outcome: Outcome
    /// Milliseconds since 1970, of the last attempt.
    public var time: Int
    public var attempts: Int
    /// RFC 3463's code.
    public var status: String
    /// The server's reply, or our own finding.
    public var text: String
    /// The server that spoke last; nil when none was reached.
    public var host: String?
    /// Where it was stored, when it is an account's here.
    public var file: String?

    public init(queueID: String, recipient: String, outcome: Outcome, time: Int, attempts: Int = 1, status: String, text: String, host: String? = nil, file: String? = nil) {
        self.queueID = queueID
        self.recipient = recipient
        self.outcome = outcome
        self.time = time
        self.attempts = attempts
        self.status = status
        self.text = text
        self.host = host
        self.file = file
    }

    /// The transaction's id: a queue entry's without what stands behind its dot.
    public static func transactionID(of queueID: String) -> String { queueID.split(separator: ".").first.map(String.init) ?? queueID }
}
