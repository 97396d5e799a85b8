import SMTPCore
import TLS

/// What one server's TLS must be.
public struct TLSDemand: Sendable, Hashable {
    /// Whom the certificate must prove.
    public enum Peer: Sendable, Hashable {
        /// Anybody: listeners only are kept out.
        case anyone
        /// One of these names, from a trusted authority.
        case names([String])
        /// What the TLSA records say (RFC 7672): the base domain, further names that count, the records.
        case dane(hosts: [String], records: [TLS.TLSARecord])
    }

    /// On what a demand rests: the policy types of RFC 8460 §4.4, and our own settings.
    public enum Source: String, Sendable, Hashable {
        case tlsa, sts
        case none = "no-policy-found"
    }

    public var use: SMTPClientSession.TLSUse
    public var peer: Peer
    public var source = Source.none

    static let never = TLSDemand(use: .never, peer: .anyone)
    static let opportunistic = TLSDemand(use: .ifOffered, peer: .anyone)
    static let encrypted = TLSDemand(use: .required, peer: .anyone)
}
