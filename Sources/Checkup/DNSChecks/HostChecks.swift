import DNS
import NameServers
import NetworkAddress
import PublishedRecords
import TLS

extension DNSCheckup {
    /// A and AAAA of the host, each family that we have; a family that stands in the DNS and is none of ours counts too.
    func addresses() async -> [CheckFinding] {
        guard !setup.addresses.isEmpty else { return [await unknownAddresses()] }
        var out: [CheckFinding] = []
        for (family, type) in [(IPAddress.Family.v4, DNSRecordType.a), (.v6, .aaaa)] {
            let wanted = setup.addresses.filter { $0.family == family }
            let record = plan.records.first { $0.purpose == .address && $0.type == type }
            let subject = record.map { RecordLook.Subject($0, .receiving, host: setup.hostname) }
                ?? .init(check: "address", name: setup.hostname.text, importance: .receiving, weight: .optional, why: "others try every address there is", line: nil)
            let found = await look.finding(subject, setup.hostname, type) { raw in
                let addresses = raw.compactMap { IPAddress(octets: $0) }
                if wanted.isEmpty, addresses.isEmpty { return .present }
                return RecordJudge.addresses(wanted, found: addresses)
            }
            if !(wanted.isEmpty && found.verdict == .ok) { out.append(found) }
        }
        return out + [await alias()].compactMap { $0 }
    }

    private func unknownAddresses() async -> CheckFinding {
        CheckFinding("address", setup.hostname.text, .unknown, .receiving, "no public address of this machine is known, so address records, PTR and SPF cannot be compared",
                     remedy: "name the address with --address, or set public_addresses")
    }

    /// RFC 2181 §10.3: what an MX names must not be an alias.
    private func alias() async -> CheckFinding? {
        guard let target = await aliasTarget(of: setup.hostname) else { return nil }
        return CheckFinding("mx", setup.hostname.text, .wrong, .receiving, "\(setup.hostname) is an alias (CNAME) of \(target), and an MX must not name an alias (RFC 2181 section 10.3): some servers do not deliver",
                            remedy: "replace the CNAME by address records: \(setup.addresses.map(\.description).joined(separator: ", "))", record: .wrong)
    }

    func aliasTarget(of name: DomainName) async -> DomainName? {
        for (_, found) in await look.found(name, .cname) {
            if case .records(let raw) = found, let target = raw.lazy.compactMap({ WireName.decode($0[...])?.name }).first { return target }
        }
        return nil
    }

    /// Forward-confirmed reverse DNS (RFC 8601 §3). Asked through the resolver: the zone is the provider's.
    func reverseName(_ address: IPAddress) async -> CheckFinding {
        let result = await ReverseNameCheck.run(address, view.resolver)
        let why = "large receivers refuse mail from an address whose name does not lead back to it"
        let remedy = "ask whoever lends you the address to set its PTR record to \(setup.hostname)"
        func made(_ verdict: CheckFinding.Verdict, _ text: String, _ standing: CheckFinding.Standing, _ remedy: String? = nil) -> CheckFinding {
            CheckFinding("ptr", address.description, verdict, .sending, text, remedy: remedy, record: standing, why: why)
        }
        switch result.verdict {
        case .pass where result.name == setup.hostname: return made(.ok, "\(address) is \(setup.hostname), and back", .present)
        case .pass: return made(.note, "\(address) is \(result.name?.text ?? "another name"), which leads back, though this server calls itself \(setup.hostname)", .present, remedy)
        case .fail: return made(.wrong, "the PTR record does not confirm: \(result.reason)", .wrong,
                                result.name == setup.hostname ? "give \(setup.hostname) the address record \(address)" : remedy)
        case .permerror: return made(.wrong, "\(address) has no PTR record", .missing, remedy)
        case .temperror: return made(.unknown, "the PTR record of \(address) could not be asked for: \(result.reason)", .unknown)
        }
    }

    /// RFC 7672: a record that does not match stops mail; one in an unsigned zone does nothing.
    func tlsa() async -> CheckFinding {
        guard let record = plan.records.first(where: { $0.purpose == .tlsa }), let digest = setup.certificateKeyDigest else {
            return CheckFinding("tlsa", setup.hostname.text, .skipped, .minor, "there is no certificate to publish a TLSA record for")
        }
        guard await isSigned(setup.hostname) else {
            return CheckFinding("tlsa", setup.hostname.text, .ok, .minor, "the zone of \(setup.hostname) is not signed with DNSSEC: a TLSA record would say nothing")
        }
        return await look.finding(.init(record, .receiving, host: setup.hostname), record.name, as: DNS.TLSARecord.self) { RecordJudge.tlsa(digest, found: $0) }
    }

    /// Whether the zone publishes keys (RFC 4035 §2.1).
    private func isSigned(_ name: DomainName) async -> Bool {
        var at: DomainName? = name
        while let zone = at, !zone.isRoot {
            for (_, found) in await look.found(zone, DNSRecordType(rawValue: 48)) { if case .records = found { return true } }
            if case .found(let servers) = await view.zone(of: name), servers.zone == zone { return false }
            at = zone.parent
        }
        return false
    }
}
