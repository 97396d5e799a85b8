extension DecisionRecord {
    /// What the authentication methods and the ledger found. nil or empty: not asked.
    public struct Results: Codable, Sendable, Hashable {
        public var reverseName: ReverseName?
        public var spf: [SPF] = []
        /// nil: not looked for; empty: the message bore no signature.
        public var dkim: [DKIM]?
        public var dmarc: DMARC?
        public var tags: [Tag]?
        /// What the rules asked others for (block lists, rates, …), as whoever asked keeps it: JSON.
        public var lookups: String?
        /// The keys that signed, as `domain/selector`.
        public var signedBy: [String] = []
        public init() {}
    }

    public struct ReverseName: Codable, Sendable, Hashable {
        public var verdict: String
        public var address: String
        public var name: String?
        public var reason: String

        public init(verdict: String, address: String, name: String?, reason: String) {
            self.verdict = verdict
            self.address = address
            self.name = name
            self.reason = reason
        }
    }

    public struct SPF: Codable, Sendable, Hashable {
        public var verdict: String
        /// `mailfrom` or `helo`.
        public var identity: String
        public var domain: String
        public var reason: String
        /// The directive that decided.
        public var match: String?
        /// The record of ``domain``.
        public var record: String?

        public init(verdict: String, identity: String, domain: String, reason: String, match: String? = nil, record: String? = nil) {
            self.verdict = verdict
            self.identity = identity
            self.domain = domain
            self.reason = reason
            self.match = match
            self.record = record
        }
    }

    public struct DKIM: Codable, Sendable, Hashable {
        public var verdict: String
        public var reason: String
        public var domain: String?
        public var selector: String?
        public var algorithm: String?
        public var identity: String?
        public var coversWholeBody: Bool
        public var signsFrom: Bool
        public var isTesting: Bool
        public var keyBits: Int?
        public var keyRecord: String?

        public init(verdict: String, reason: String, domain: String?, selector: String?, algorithm: String?, identity: String?, coversWholeBody: Bool,
                    signsFrom: Bool, isTesting: Bool, keyBits: Int?, keyRecord: String?) {
            self.verdict = verdict
            self.reason = reason
            self.domain = domain
            self.selector = selector
            self.algorithm = algorithm
            self.identity = identity
            self.coversWholeBody = coversWholeBody
            self.signsFrom = signsFrom
            self.isTesting = isTesting
            self.keyBits = keyBits
            self.keyRecord = keyRecord
        }
    }

    public struct DMARC: Codable, Sendable, Hashable {
        public var verdict: String
        public var from: String?
        public var reason: String
        public var policy: DMARCPolicy?

        public init(verdict: String, from: String?, reason: String, policy: DMARCPolicy? = nil) {
            self.verdict = verdict
            self.from = from
            self.reason = reason
            self.policy = policy
        }
    }

    public struct DMARCPolicy: Codable, Sendable, Hashable {
        /// Where ``record`` was found.
        public var domain: String
        public var record: String
        /// `p`, `sp` or `np`.
        public var tag: String
        public var published: String
        public var applied: String

        public init(domain: String, record: String, tag: String, published: String, applied: String) {
            self.domain = domain
            self.record = record
            self.tag = tag
            self.published = published
            self.applied = applied
        }
    }

    /// The ledger's word on one tagged recipient.
    public struct Tag: Codable, Sendable, Hashable {
        public var recipient: String
        public var status: String
        public var base: String
        public var detail: String
        public var owners: [String]
        public var offender: String?
        public var explanation: String
        /// The status that the rules saw, where their decision made another of it.
        public var seen: String?

        public init(recipient: String, status: String, base: String, detail: String, owners: [String], offender: String?, explanation: String,
                    seen: String? = nil) {
            self.seen = seen
            self.recipient = recipient
            self.status = status
            self.base = base
            self.detail = detail
            self.owners = owners
            self.offender = offender
            self.explanation = explanation
        }
    }

    /// A modification that a filter made, in the milter's terms.
    public struct Change: Codable, Sendable, Hashable {
        public enum Kind: String, Codable, Sendable, Hashable {
            case insertHeader, addHeader, changeHeader, removeHeader, addRecipient, removeRecipient, changeSender, replaceBody, quarantine
        }
        public var kind: Kind
        /// A field's or a recipient's place or occurrence; octets of a new body.
        public var number: Int?
        /// Of a field that is changed or removed.
        public var name: String?
        /// The whole field, an address, or a reason.
        public var text: String?

        public init(_ kind: Kind, number: Int? = nil, name: String? = nil, text: String? = nil) {
            self.kind = kind
            self.number = number
            self.name = name
            self.text = text
        }
    }
}
