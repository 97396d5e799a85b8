import MTASTS
import NetworkAddress

/// Every record that a server's mail needs, and what cannot be said from its facts.
public struct RecordPlan: Sendable, Hashable {
    public let setup: MailSetup
    /// In the order of publishing: the host's, then each domain's.
    public let records: [WantedRecord]
    /// What an operator should know before publishing, in words.
    public let remarks: [String]
    /// What each domain's policy file must say (RFC 8461 §3.2).
    public let policies: [PolicyFile]

    public init(_ setup: MailSetup) {
        self.setup = setup
        records = HostRecords.make(setup) + setup.domains.flatMap { Self.records(of: $0, setup) }
        policies = setup.stsMode == .none && setup.servedPolicy == nil ? [] : setup.domains.compactMap { PolicyFile($0, setup) }
        remarks = Self.remarks(setup)
    }

    private static func records(of domain: DomainName, _ setup: MailSetup) -> [WantedRecord] {
        var out = [DomainRecords.exchange(domain, setup), DomainRecords.spf(domain, setup)]
        out += DomainRecords.keys(domain, setup)
        if let dmarc = DomainRecords.dmarc(domain, setup) { out.append(dmarc) }
        return out + TransportRecords.make(domain, setup) + ServiceRecords.make(domain, setup)
    }

    /// The records of one zone's domain, and the host's when they lie there.
    public func records(for domain: DomainName) -> [WantedRecord] {
        records.filter { $0.domain == domain || ($0.domain == nil && setup.domain(above: $0.name) == domain && $0.place == .zone) }
    }

    private static func remarks(_ setup: MailSetup) -> [String] {
        var out: [String] = []
        if setup.domains.isEmpty { out.append("mydestination is empty: there is no domain to publish records for") }
        if setup.addresses.isEmpty {
            out.append("no public address of this machine is known: name it with --address, or set public_addresses, and address, PTR and further records can be told")
        }
        if setup.hostname.labelCount < 2 {
            out.append("myhostname is \(setup.hostname): set it to this server's full name, as mail.example.org")
        }
        for domain in setup.domains where !setup.keys.contains(where: { $0.domain == domain && $0.state != .retired }) {
            out.append("\(domain) has no DKIM key: its mail is not signed. Make some with: postern dkim new \(domain)")
        }
        for key in setup.keys where key.state == .retired {
            out.append("\(key.recordName?.text ?? key.selector) may go from the zone: the key is retired")
        }
        if case .exchangers(let relay)? = setup.relay { out.append(relayRemark("\(relay)")) }
        if case .host(let relay)? = setup.relay { out.append(relayRemark("\(relay)")) }
        return out
    }

    private static func relayRemark(_ relay: String) -> String {
        "mail leaves through \(relay), which may send from further addresses: ask its operator for an include: to put into the SPF records, and end them with -all then"
    }
}

extension MailSetup {
    /// The mail domain whose zone a name lies in, as far as our domains tell.
    public func domain(above name: DomainName) -> DomainName? {
        domains.filter { name.isSame(orBelow: $0) }.max { $0.text.utf8.count < $1.text.utf8.count }
    }
}
