import DNS
import NameServers
import NetworkAddress
import PublishedRecords

/// Looks one name's records up wherever they must stand, and makes a finding of what is there.
struct RecordLook: Sendable {
    /// What one server has.
    enum Found: Sendable, Hashable {
        case records([[UInt8]])
        case nothing
        case failed(String)
    }

    /// What a finding says beside the judgement.
    struct Subject: Sendable {
        let check: String
        /// `example.org`
        let name: String
        let importance: CheckFinding.Importance
        let weight: WantedRecord.Weight
        let why: String
        /// The line to publish.
        let line: String?
    }

    let view: AuthorityView

    func found(_ name: DomainName, _ type: DNSRecordType) async -> [(source: String, found: Found)] {
        var out: [(source: String, found: Found)] = []
        for voice in await view.ask(name, type) { out.append((voice.source, await settled(voice.answer, type))) }
        return out
    }

    private func settled(_ answer: NameServerAnswer, _ type: DNSRecordType) async -> Found {
        switch answer {
        case .records(let records): return .records(records)
        case .noData, .nameError: return .nothing
        case .failure(let why), .unreachable(let why): return .failed(why)
        case .alias(let target):
            switch await view.resolve(DNSQuestion(target, type)).outcome {
            case .records(let records): return .records(records)
            case .noData, .nameError: return .nothing
            case .temporaryFailure(let why): return .failed("\(target): \(why)")
            }
        }
    }

    /// Records of one type, decoded.
    func finding<Record: DNSRecordData>(_ subject: Subject, _ name: DomainName, as _: Record.Type, _ judge: ([Record]) -> Judgement) async -> CheckFinding {
        await finding(subject, name, Record.type) { raw in
            let records = raw.compactMap { Record(rdata: $0) }
            return records.count == raw.count ? judge(records) : .wrong("a malformed \(Record.type) record")
        }
    }

    func finding(_ subject: Subject, _ name: DomainName, _ type: DNSRecordType, _ judge: ([[UInt8]]) -> Judgement) async -> CheckFinding {
        let voices = await found(name, type)
        var words: [(source: String, judgement: Judgement)] = [], failures: [String] = []
        for (source, found) in voices {
            switch found {
            case .records(let records): words.append((source, judge(records)))
            case .nothing: words.append((source, judge([])))
            case .failed(let why): failures.append("\(source): \(why)")
            }
        }
        guard !words.isEmpty else {
            return CheckFinding(subject.check, subject.name, .unknown, subject.importance, "\(subject.label(type)) at \(name) could not be asked for: \(failures.joined(separator: "; "))",
                                record: .unknown, why: subject.why)
        }
        return conclude(subject, "\(subject.label(type)) at \(name)", words)
    }

    /// The worst word counts: whoever asks that server gets it.
    private func conclude(_ subject: Subject, _ what: String, _ words: [(source: String, judgement: Judgement)]) -> CheckFinding {
        func sources(_ those: [(source: String, judgement: Judgement)]) -> String {
            those.count == words.count ? "" : " at " + those.map(\.source).joined(separator: ", ")
        }
        func made(_ verdict: CheckFinding.Verdict, _ text: String, _ record: CheckFinding.Standing, remedy: String? = nil) -> CheckFinding {
            CheckFinding(subject.check, subject.name, verdict, subject.importance, text, remedy: remedy, record: record, why: subject.why)
        }
        let wrong = words.filter { if case .wrong = $0.judgement { true } else { false } }
        if case .wrong(let text)? = wrong.first?.judgement {
            return made(.wrong, "\(what) is wrong\(sources(wrong)): \(text)", .wrong, remedy: subject.line.map { "publish instead: \($0)" })
        }
        let missing = words.filter { $0.judgement == .missing }
        if !missing.isEmpty {
            // Half of the world sees it: that is never meant.
            let verdict: CheckFinding.Verdict = subject.weight == .required || missing.count < words.count ? .wrong : .note
            return made(verdict, "\(what) is missing\(sources(missing))", .missing, remedy: subject.line.map { "publish: \($0)" })
        }
        let remarks = words.compactMap { if case .present(let remark) = $0.judgement { remark } else { nil } }
        guard let remark = remarks.first else { return made(.ok, "\(what) is there", .present) }
        return made(.note, "\(what) is there: \(remark)", .present)
    }
}

extension RecordLook.Subject {
    init(_ record: WantedRecord, _ importance: CheckFinding.Importance, host: DomainName) {
        self.init(check: record.purpose.rawValue, name: (record.domain ?? host).text, importance: importance, weight: record.weight, why: record.why,
                  line: "\(record.name.presentation) \(record.timeToLive) IN \(record.type) \(record.value.zoneText)")
    }

    /// What the record is called: a TXT record by what it is for.
    func label(_ type: DNSRecordType) -> String {
        let names = ["spf": "SPF", "dkim": "DKIM key", "dmarc": "DMARC", "mta-sts": "MTA-STS", "tls-rpt": "TLS report"]
        return "the \(type == .txt ? names[check] ?? "TXT" : type.description) record"
    }
}
