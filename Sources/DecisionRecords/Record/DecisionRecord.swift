/// What became of one message, and what that rests on: one for each transaction, whatever its end.
///
/// Plain values, so that it can be kept for weeks and read by a later version; who makes it knows the typed results.
/// Private: it names tags and their owners, and nothing of it is ever told to a sender.
public struct DecisionRecord: Codable, Sendable, Hashable {
    /// The transaction's id: in `Received`, in the reply, in the log, and of its queue entries.
    public var id: String
    /// Milliseconds since 1970, when it ended.
    public var time: Int
    /// The name that the MTA whose milter or LMTP server we are has for it: Postfix's queue id.
    public var mtaID: String?
    /// Message-ID without its angle brackets.
    public var messageID: String?
    /// The id of the message that this one tells of, for a status notification made here.
    public var about: String?
    /// Who sent it, as the connection showed it.
    public var client: Client
    /// Who sent it to a trusted relay, which then is ``client``; nil when nobody stood between.
    public var origin: Client?
    public var envelope: Envelope
    /// The envelope after the filters, where they changed it.
    public var envelopeAfter: Envelope?
    /// Octets as received; nil when no content came.
    public var size: Int?
    public var results = Results()
    /// The rules that matched, in the order in which they were asked.
    public var rules: [RuleHit] = []
    public var verdict: Verdict
    public var changes: [Change] = []
    /// Which of ``changes`` the rules made; nil when the rules of stage `message` were not asked.
    public var changesByRules: Range<Int>?
    /// The folder that the rules chose.
    public var folder: String?
    /// The IMAP keywords on every copy.
    public var keywords: [String] = []
    /// Why it was held.
    public var quarantine: String?
    /// Where each recipient's copy went at once. What a queue made of its copies later is in ``DeliveryRecord``.
    public var copies: [Copy] = []
    /// Some of the header was not kept: it was too large.
    public var isHeaderCut = false

    public init(id: String, time: Int, client: Client, envelope: Envelope, verdict: Verdict) {
        self.id = id
        self.time = time
        self.client = client
        self.envelope = envelope
        self.verdict = verdict
    }

    /// How the transaction ended.
    public struct Verdict: Codable, Sendable, Hashable {
        public enum Kind: String, Codable, Sendable, Hashable, CaseIterable {
            case accepted, rejected, deferred, discarded
            /// The client gave it up, or was lost.
            case abandoned
        }
        public var kind: Kind
        /// The reply as it went out: `550 5.7.1 text`; of several the last.
        public var reply: String?
        /// `connect`, `helo`, `mail`, `rcpt`, `data`, `message`, `delivery`: where it was refused.
        public var stage: String?
        /// The filter that refused it: `policy`, or a milter's address; nil when the server itself did.
        public var filter: String?

        public init(_ kind: Kind, reply: String? = nil, stage: String? = nil, filter: String? = nil) {
            self.kind = kind
            self.reply = reply
            self.stage = stage
            self.filter = filter
        }
    }

    /// A rule that matched.
    public struct RuleHit: Codable, Sendable, Hashable {
        public var rule: String
        public var file: String
        public var line: Int
        public var stage: String
        /// Of a rule at `rcpt`: which recipient it was asked about.
        public var recipient: String?
        public var saw: [Seen]

        public init(rule: String, file: String, line: Int, stage: String, recipient: String? = nil, saw: [Seen] = []) {
            self.rule = rule
            self.file = file
            self.line = line
            self.stage = stage
            self.recipient = recipient
            self.saw = saw
        }
    }

    /// A value that a rule looked at; nil is `missing`.
    public struct Seen: Codable, Sendable, Hashable {
        public var name: String
        public var value: String?

        public init(_ name: String, _ value: String?) {
            self.name = name
            self.value = value
        }
    }

    /// Where one recipient's copy went.
    public struct Copy: Codable, Sendable, Hashable {
        public var recipient: String
        /// The file it was stored as; a mail client moves it to `cur` later, under the same name up to the colon.
        public var file: String?
        /// The queue entry that waits for a delivery.
        public var queueID: String?
        /// Why neither, when the recipient had a reply of its own (LMTP).
        public var refusal: String?

        public init(recipient: String, file: String? = nil, queueID: String? = nil, refusal: String? = nil) {
            self.recipient = recipient
            self.file = file
            self.queueID = queueID
            self.refusal = refusal
        }
    }
}
