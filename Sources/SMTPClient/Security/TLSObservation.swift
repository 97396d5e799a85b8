import MTASTS
import NetworkAddress
import SMTPCore

/// The result types of RFC 8460 §4.3.
public enum TLSFailureKind: String, Sendable, Hashable, Codable, CaseIterable {
    case startTLSNotSupported = "starttls-not-supported"
    case hostMismatch = "certificate-host-mismatch"
    case expired = "certificate-expired"
    case notTrusted = "certificate-not-trusted"
    case validation = "validation-failure"
    case tlsaInvalid = "tlsa-invalid"
    case dnssecInvalid = "dnssec-invalid"
    case daneRequired = "dane-required"
    case stsFetch = "sts-policy-fetch-error"
    case stsInvalid = "sts-policy-invalid"
    case stsWebPKI = "sts-webpki-invalid"
}

/// One session's TLS outcome towards a domain, as a report counts it (RFC 8460 §4).
public struct TLSObservation: Sendable, Hashable {
    /// The policy's domain.
    public var domain: DomainName
    public var source: TLSDemand.Source
    /// The policy as published: the lines of the document, the TLSA records; empty without one.
    public var policyLines: [String]
    /// `mx` of an MTA-STS policy.
    public var mxPatterns: [String]
    /// nil: TLS came about as demanded.
    public var failure: TLSFailureKind?
    /// In words, for `failure-reason-code`.
    public var reason: String
    public var mxHost: String
    public var address: IPAddress?

    public init(domain: DomainName, source: TLSDemand.Source, policyLines: [String] = [], mxPatterns: [String] = [], failure: TLSFailureKind? = nil,
                reason: String = "", mxHost: String = "", address: IPAddress? = nil) {
        self.domain = domain
        self.source = source
        self.policyLines = policyLines
        self.mxPatterns = mxPatterns
        self.failure = failure
        self.reason = reason
        self.mxHost = mxHost
        self.address = address
    }
}

extension SessionFailure {
    /// As what a report counts it; nil for what is no failure of TLS.
    var tlsFailure: TLSFailureKind? {
        switch self {
        case .tlsNotOffered, .tlsRefused: .startTLSNotSupported
        case .tlsFailed: .validation
        case .untrusted(let fault, _):
            switch fault {
            case .hostMismatch: .hostMismatch
            case .expired: .expired
            case .noTLSAMatch: .validation
            case .untrusted: .notTrusted
            }
        default: nil
        }
    }
}

extension DestinationSecurity {
    /// Tells of a session, or of a server passed over; nothing where no domain's policy is concerned.
    func observation(_ source: TLSDemand.Source, _ server: ServerFacts?, records: [String] = [], failure: TLSFailureKind?, _ reason: String = "") -> TLSObservation? {
        guard let domain else { return nil }
        let lines = source == .sts ? sts.text.split(whereSeparator: \.isNewline).map(String.init) : records
        return TLSObservation(domain: domain, source: source, policyLines: lines, mxPatterns: source == .sts ? sts.policy?.mx ?? [] : [],
                              failure: failure, reason: reason, mxHost: server?.name ?? "", address: server?.address)
    }
}

extension TLSDemand {
    /// The TLSA records in presentation form.
    var recordLines: [String] {
        guard case .dane(_, let records) = peer else { return [] }
        return records.map { record in
            let hex = record.data.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            return "\(record.usage) \(record.selector) \(record.matchingType) \(hex)"
        }
    }
}
