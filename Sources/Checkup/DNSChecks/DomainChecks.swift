import DNS
import DMARC
import NameServers
import NetworkAddress
import PublishedRecords
import SPF

extension DNSCheckup {
    func exchanges(_ record: WantedRecord, _ domain: DomainName) async -> [CheckFinding] {
        let own = await look.finding(.init(record, .receiving, host: setup.hostname), domain, as: MXRecord.self) { RecordJudge.exchanges(setup.hostname, found: $0) }
        var aliases: [CheckFinding] = []
        for host in await mailHosts(domain) where host != setup.hostname {
            if let target = await aliasTarget(of: host) {
                aliases.append(CheckFinding("mx", domain.text, .wrong, .receiving, "its MX \(host) is an alias (CNAME) of \(target), and an MX must not name an alias (RFC 2181 section 10.3): some servers do not deliver",
                                            remedy: "let the MX name \(setup.hostname), or give \(host) address records of its own", record: .wrong, why: record.why))
            }
        }
        // An alias of ours is told once.
        return own.verdict == .wrong && !aliases.isEmpty ? aliases : [own] + aliases
    }

    private func mailHosts(_ domain: DomainName) async -> [DomainName] {
        var hosts = Set<DomainName>()
        for (_, found) in await look.found(domain, .mx) {
            if case .records(let raw) = found { hosts.formUnion(raw.compactMap { MXRecord(rdata: $0)?.exchange }.filter { IPAddress($0.text) == nil && !$0.isRoot }) }
        }
        return hosts.sorted().prefix(10).map { $0 }
    }

    /// By what it comes to for our addresses, however it is written (RFC 7208).
    func senderPolicy(_ record: WantedRecord) async -> [CheckFinding] {
        let subject = RecordLook.Subject(record, .sending, host: setup.hostname)
        let stands = await look.finding(subject, record.name, as: TXTRecord.self) { records in
            let policies = RecordJudge.senderPolicies(records.map { String(decoding: $0.joined, as: UTF8.self) })
            if policies.isEmpty { return .missing }
            return policies.count == 1 ? .present : .wrong("\(policies.count) SPF records where one must stand: receivers then take none (RFC 7208 section 4.5). They are \(policies.map { "\"\($0)\"" }.joined(separator: " and "))")
        }
        guard stands.record == .present, setup.relay == nil, !setup.sources.isEmpty else { return [stands] }
        var out: [CheckFinding] = []
        for address in setup.sources {
            let evaluator = SPFEvaluator(resolver: view, receiverName: setup.hostname.text)
            let result = await evaluator.checkHost(client: address, domain: record.name.text, localPart: "postmaster", helo: setup.hostname.text,
                                                   identity: record.domain == nil ? .helo : .mailfrom)
            if let finding = senderFinding(result, address, subject) { out.append(finding) }
        }
        return out.isEmpty ? [CheckFinding("spf", subject.name, .ok, .sending, "SPF passes for \(setup.sources.map(\.description).joined(separator: " and "))", record: .present, why: subject.why)] : out
    }

    private func senderFinding(_ result: SPFResult, _ address: IPAddress, _ subject: RecordLook.Subject) -> CheckFinding? {
        let record = result.record.map { "\"\($0)\"" } ?? "the record"
        switch result.verdict {
        case .pass: return nil
        case .temperror: return CheckFinding("spf", subject.name, .unknown, .sending, "SPF could not be evaluated for \(address): \(result.reason)", record: .unknown, why: subject.why)
        default:
            let words = result.verdict == .permerror ? "\(record) cannot be evaluated: \(result.reason)" : "\(record) does not allow our address \(address): the result is \(result.verdict.rawValue)\(result.match.map { " by \($0.directive)" } ?? "")"
            return CheckFinding("spf", subject.name, .wrong, .sending, words, remedy: subject.line.map { "publish instead: \($0)" }, record: .wrong, why: subject.why)
        }
    }

    func dmarc(_ record: WantedRecord, _ domain: DomainName) async -> [CheckFinding] {
        let finding = await look.finding(.init(record, .sending, host: setup.hostname), record.name, as: TXTRecord.self) { RecordJudge.dmarc($0.map(\.joined)) }
        guard finding.record == .present else { return [finding] }
        return [finding] + (await reportConsent(record.name, domain))
    }

    /// RFC 9990 §4: another domain must consent to get this one's reports.
    private func reportConsent(_ name: DomainName, _ domain: DomainName) async -> [CheckFinding] {
        let texts = await view.lookup(TXTRecord.self, at: name).records
        let hosts = texts.compactMap { DMARCRecord($0.joined) }.flatMap(\.rua).compactMap { $0.split(separator: "@").last.flatMap { DomainName($0) } }
        var out: [CheckFinding] = []
        for host in Set(hosts).sorted().prefix(4) where !host.isSame(orBelow: domain) && !domain.isSame(orBelow: host) {
            guard let consent = DomainName("\(domain)._report._dmarc.\(host)") else { continue }
            let answer = await view.resolver.lookup(TXTRecord.self, at: consent)
            if answer.failure == nil, !answer.records.contains(where: { DMARCRecord($0.joined) != nil }) {
                out.append(CheckFinding("dmarc", domain.text, .note, .minor, "\(host) does not say that it wants the reports of \(domain): they will not be sent there (RFC 9990 section 4)",
                                        remedy: "have published: \(consent). IN TXT \"v=DMARC1\""))
            }
        }
        return out
    }

    func tlsReports(_ record: WantedRecord) async -> CheckFinding {
        await look.finding(.init(record, .minor, host: setup.hostname), record.name, as: TXTRecord.self) { RecordJudge.tlsReports($0.map(\.joined)) }
    }

    func service(_ record: WantedRecord) async -> CheckFinding {
        await look.finding(.init(record, .minor, host: setup.hostname), record.name, as: SRVRecord.self) { RecordJudge.services(record.value, found: $0) }
    }
}
