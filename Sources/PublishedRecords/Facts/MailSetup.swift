import MTASTS
import DMARC
import NetworkAddress

/// What a mail server's records are made from: its settings and keys, as plain facts.
public struct MailSetup: Sendable, Hashable {
    /// A DKIM key's record, and how far its rotation is.
    public struct Key: Sendable, Hashable {
        /// As ``PublishedRecords`` needs to know it: `configured` keys of the settings sign, too.
        public enum State: String, Sendable, Hashable { case configured, staged, active, retiring, retired }
        public let domain: DomainName
        public let selector: String
        /// The TXT record's text, `v=DKIM1; …`.
        public let record: String
        public let state: State

        public init(domain: DomainName, selector: String, record: String, state: State) {
            self.domain = domain
            self.selector = selector
            self.record = record
            self.state = state
        }

        /// Where the record belongs.
        public var recordName: DomainName? { domain.prepending(selector + "._domainkey") }
    }

    /// Whom all mail is handed to.
    public enum Relay: Sendable, Hashable {
        case host(DomainName)
        case address(IPAddress)
        /// By the MX records of a domain.
        case exchangers(of: DomainName)
    }

    /// What mail clients are told to find by SRV records (RFC 6186, RFC 8314).
    public enum Service: String, Sendable, Hashable, CaseIterable {
        case submissions, imaps, submission, imap
    }

    public var hostname: DomainName
    /// Domains whose mail is delivered here.
    public var domains: [DomainName]
    /// Where the world reaches the server: of the address records, and of the reverse names.
    public var addresses: [IPAddress]
    /// Where its mail comes from, where that is somewhere else, too.
    public var otherSources: [IPAddress] = []
    public var relay: Relay?
    public var keys: [Key] = []
    public var dmarcPolicy = DMARCPolicy.quarantine
    /// Where aggregate reports go, an address; nil: nobody asks for any.
    public var dmarcReports: String?
    /// Where TLS reports go (RFC 8460), an address; nil: nobody asks for any.
    public var tlsReports: String?
    /// Of the MTA-STS policy that is proposed while nobody serves one.
    public var stsMode = STSPolicy.Mode.testing
    /// The policy as this server serves it (RFC 8461 §3.2); nil: it does not.
    public var servedPolicy: String?
    /// SHA-256 of the certificate's SubjectPublicKeyInfo; nil without a certificate.
    public var certificateKeyDigest: [UInt8]?
    /// The services that are offered, and where.
    public var ports: [Service: UInt16] = [:]

    public init(hostname: DomainName, domains: [DomainName], addresses: [IPAddress]) {
        self.hostname = hostname
        self.domains = domains
        self.addresses = addresses
    }

    /// Addresses that receivers see our mail come from. With a relay they see the relay's.
    public var sources: [IPAddress] { addresses + otherSources.filter { !addresses.contains($0) } }
}
