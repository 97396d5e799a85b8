import DNS
import Foundation
import InternetMessage
import NetworkAddress

/// A message with all that it comes with, as a `test` block gives it: what a chain of filters is to be run on.
public struct MessageTest: Sendable {
    public struct Client: Sendable {
        /// An address of RFC 5737's documentation range unless the test says otherwise.
        public var address: IPAddress?
        /// The verified reverse name.
        public var name: String?
        /// Whether it lies in the own networks.
        public var isOwn = false
        public var helo: String?
        public var listener: String?
        /// `TLSv1.3`; nil: in the clear.
        public var tlsVersion: String?
        /// Who logged in.
        public var account: String?
        /// The message is made on this machine, as bounces are: no client is there.
        public var isNobody: Bool { listener == "local" }
    }

    /// A key to make, to publish in the test's DNS, and to sign with.
    public struct Signature: Sendable {
        public let domain: DomainName
        public let selector: String
    }

    /// What the ledger knows of a tagged address beforehand.
    public struct Tag: Sendable {
        public enum State: Sendable, Hashable {
            case owned([DomainName])
            case blocked, revoked
        }
        public let address: EmailAddress
        public let state: State
    }

    /// The same message came before: what counters and the greylist remember.
    public struct Earlier: Sendable {
        /// Seconds before the test's time.
        public let before: Int
        public let times: Int
    }

    public var client = Client()
    /// What the account may write as; empty: anything.
    public var accountAddresses: [EmailAddress] = []
    public var earlier: [Earlier] = []
    /// nil: the null sender.
    public var sender = EmailAddress("sender@sender.example")
    /// SIZE of the MAIL command.
    public var declaredSize: Int?
    public var recipients: [EmailAddress] = []
    /// Our own domains; empty: those of the recipients, or of the sender who logged in.
    public var localDomains: [DomainName] = []
    /// All there is in the DNS.
    public var records: [ZoneRecord] = []
    /// Names for which no server answers.
    public var failingNames: [DomainName] = []
    /// The message's octets; nil: a short one from the sender to the recipients.
    public var content: [UInt8]?
    public var signatures: [Signature] = []
    public var tags: [Tag] = []
    /// When it comes.
    public var time = MessageTest.standardTime

    /// Thursday, 1 January 2026, 12:00 UTC: a test without a time gives the same result each year.
    public static let standardTime = Date(timeIntervalSince1970: 1_767_268_800)

    public init() {}
}
