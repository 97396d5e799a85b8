import DNS
import NetworkAddress

/// A record that should stand in the DNS, and why.
public struct WantedRecord: Sendable, Hashable {
    /// What it is for. The raw values name checks, for scripts.
    public enum Purpose: String, Sendable, Hashable, CaseIterable {
        case address, mx, spf, dkim, dmarc, reverse = "ptr", sts = "mta-sts", stsHost = "mta-sts-host", tlsReport = "tls-rpt", tlsa, service = "srv"
    }

    public enum Weight: String, Sendable, Hashable {
        /// Mail does not come in, or is refused elsewhere, without it.
        case required
        /// Mail works without it, and worse.
        case recommended
        /// For who wants it.
        case optional
    }

    /// Who can publish it.
    public enum Place: String, Sendable, Hashable {
        /// Whoever holds the domain's zone.
        case zone
        /// Whoever the address belongs to.
        case provider
    }

    public let purpose: Purpose
    /// The mail domain that it serves; nil when it serves the host.
    public let domain: DomainName?
    public let name: DomainName
    public let value: RecordValue
    public let weight: Weight
    public let place: Place
    /// One line.
    public let why: String
    /// What must be true before it is published; nil when nothing must.
    public let condition: String?
    /// Seconds.
    public let timeToLive: UInt32

    init(_ purpose: Purpose, _ domain: DomainName?, _ name: DomainName, _ value: RecordValue, _ weight: Weight, why: String, place: Place = .zone,
         condition: String? = nil, timeToLive: UInt32 = 3600) {
        self.purpose = purpose
        self.domain = domain
        self.name = name
        self.value = value
        self.weight = weight
        self.place = place
        self.why = why
        self.condition = condition
        self.timeToLive = timeToLive
    }

    public var type: DNSRecordType { value.type }
}
