import InternetMessage
import NetworkAddress

/// The Sender Rewriting Scheme, as libsrs2 and postsrsd write it: mail that we forward gets a sender of our domain, so that
/// SPF holds at the next server, and what comes back to that address goes back to the first sender.
///
///     alice@source.example        SRS0=HHHH=TT=source.example=alice@ours.example
///     SRS0=…@first.example        SRS1=HHHH=first.example==…@ours.example
///
/// `HHHH` is a keyed hash, so that nobody but us makes such addresses; `TT` is the day, so that they age.
public struct SRSRewriter: Sendable {
    public static let maximumAge = 21

    public let domain: DomainName
    private let secrets: [[UInt8]]

    /// - Parameter secrets: the first one makes addresses, all are believed. Without any, nothing is made nor believed.
    public init(domain: DomainName, secrets: [[UInt8]]) {
        self.domain = domain
        self.secrets = secrets
    }

    /// Whether an address looks like one of ours, good or forged.
    public func concerns(_ address: EmailAddress) -> Bool { address.domainName == domain && SRSAddress.tag(address.localPart) != nil }

    /// - Parameter now: seconds since 1970.
    /// - Returns: the sender to write; nil when none can be made: the sender is at an address literal, or the path would be
    ///   longer than RFC 5321 §4.5.3.1.3 allows.
    public func forward(_ sender: EmailAddress, now: Int) -> EmailAddress? {
        guard let secret = secrets.first, let host = sender.domainName, !sender.localPart.isEmpty else { return nil }
        let local: String
        switch SRSAddress.tag(sender.localPart) {
        case .first:
            // Guarded: the first forwarder stays named, whatever number of hops follows.
            let rest = String(sender.localPart.dropFirst(4))
            local = "SRS1=\(SRSHash.text(secret, [host.text, rest]))=\(host.text)=\(rest)"
        case .guarded:
            guard let parts = SRSAddress.guarded(sender.localPart) else { fallthrough }
            local = "SRS1=\(SRSHash.text(secret, [parts.host, parts.rest]))=\(parts.host)=\(parts.rest)"
        case nil:
            let stamp = SRSTimestamp.text(now)
            local = "SRS0=\(SRSHash.text(secret, [stamp, host.text, sender.localPart]))=\(stamp)=\(host.text)=\(sender.localPart)"
        }
        let out = EmailAddress(localPart: local, domain: domain)
        return out.description.utf8.count <= 254 ? out : nil
    }

    /// What an address of ours stands for.
    /// - Returns: nil when it is forged, too old, or none of this scheme.
    public func reverse(_ address: EmailAddress, now: Int) -> EmailAddress? {
        guard address.domainName == domain else { return nil }
        switch SRSAddress.tag(address.localPart) {
        case .first:
            guard let parts = SRSAddress.first(address.localPart), isGenuine(parts.hash, [parts.stamp, parts.host, parts.local]),
                SRSTimestamp.isFresh(parts.stamp, now: now, maximumAge: Self.maximumAge) else { return nil }
            return Self.address(parts.local, parts.host)
        case .guarded:
            guard let parts = SRSAddress.guarded(address.localPart), isGenuine(parts.hash, [parts.host, parts.rest]) else { return nil }
            return Self.address("SRS0" + parts.rest, parts.host)
        case nil: return nil
        }
    }

    private func isGenuine(_ hash: String, _ parts: [String]) -> Bool {
        secrets.reduce(false) { SRSHash.isEqual(SRSHash.text($1, parts), hash) || $0 }
    }

    private static func address(_ local: String, _ host: String) -> EmailAddress? {
        // Whatever domain a sender may have, an underscore in it too: a bounce must find back to what `forward` took.
        guard let domain = EmailAddress("x@" + host)?.domainName else { return nil }
        return EmailAddress(localPart: local, domain: domain)
    }
}
