import MTASTS
import NetworkAddress

/// What makes other servers insist on encryption towards us, and tell us when they cannot.
enum TransportRecords {
    static func make(_ domain: DomainName, _ setup: MailSetup) -> [WantedRecord] {
        policyHost(domain, setup) + [policy(domain, setup), reports(domain, setup)].compactMap { $0 }
    }

    /// Where the policy is fetched, when it is we who serve it.
    private static func policyHost(_ domain: DomainName, _ setup: MailSetup) -> [WantedRecord] {
        guard setup.servedPolicy != nil, let name = domain.prepending("mta-sts") else { return [] }
        return setup.addresses.map { WantedRecord(.stsHost, domain, name, .address($0), .recommended, why: "where others fetch the MTA-STS policy, which this server serves") }
    }

    private static func policy(_ domain: DomainName, _ setup: MailSetup) -> WantedRecord? {
        guard setup.stsMode != .none || setup.servedPolicy != nil, let file = PolicyFile(domain, setup), let name = domain.prepending("_mta-sts") else { return nil }
        return WantedRecord(.sts, domain, name, .text("v=STSv1; id=\(file.id)"), setup.servedPolicy == nil ? .optional : .recommended,
                            why: "MTA-STS (RFC 8461): others send only over TLS with a valid certificate; the id changes when the policy does",
                            condition: setup.servedPolicy == nil ? "once \(file.address) serves the policy: mta_sts_mode lets this server do it" : nil)
    }

    private static func reports(_ domain: DomainName, _ setup: MailSetup) -> WantedRecord? {
        guard let address = setup.tlsReports, let name = domain.prepending("_smtp._tls") else { return nil }
        return WantedRecord(.tlsReport, domain, name, .text("v=TLSRPTv1; rua=mailto:\(address)"), .recommended,
                            why: "others report here when they could not encrypt to us (RFC 8460)")
    }
}

/// The MTA-STS policy of a domain, as its web server must serve it (RFC 8461 §3.2 and §3.3).
public struct PolicyFile: Sendable, Hashable {
    public let domain: DomainName
    /// `https://mta-sts.example.org/.well-known/mta-sts.txt`
    public let address: String
    /// Lines that end in CRLF.
    public let text: String
    /// For the TXT record: another one for another text.
    public let id: String

    init?(_ domain: DomainName, _ setup: MailSetup) {
        guard let host = domain.prepending("mta-sts") else { return nil }
        self.domain = domain
        address = "https://\(host)/.well-known/mta-sts.txt"
        // A day while testing, so that a mistake is soon forgotten; then a fortnight (RFC 8461 §3.2 wants weeks).
        let age = setup.stsMode == .enforce ? 1_209_600 : 86_400
        text = setup.servedPolicy ?? ["version: STSv1", "mode: \(setup.stsMode.rawValue)", "mx: \(setup.hostname)", "max_age: \(age)"].map { $0 + "\r\n" }.joined()
        id = Self.fingerprint(text)
    }

    /// FNV-1a, 64 bits: it must differ for different texts by accident only, and nobody gains by a collision.
    private static func fingerprint(_ text: String) -> String {
        let hash = text.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
