import DKIM
import DNS
import Foundation
import InternetMessage
import NetworkAddress
import PublishedRecords

extension DNSCheckup {
    func key(_ record: WantedRecord) async -> CheckFinding {
        guard case .text(let wanted) = record.value else { return CheckFinding("dkim", record.name.text, .unknown, .sending, "there is no text to compare") }
        var subject = RecordLook.Subject(record, .sending, host: setup.hostname)
        // A staged key signs nothing yet.
        let state = setup.keys.first { $0.recordName == record.name }?.state
        if state == .staged { subject = .init(check: subject.check, name: subject.name, importance: .minor, weight: .recommended, why: subject.why, line: subject.line) }
        return await look.finding(subject, record.name, as: TXTRecord.self) { RecordJudge.key(wanted, found: $0.map(\.joined)) }
    }

    /// Signs a message with every key of the domain and verifies it as a stranger would, by the published records.
    func signature(_ domain: DomainName) async -> [CheckFinding] {
        let keys = signingKeys.filter { $0.domain == domain }
        let why = "an unsigned or wrongly signed message fails DMARC as soon as somebody forwards it"
        guard !keys.isEmpty else {
            let staged = setup.keys.contains { $0.domain == domain && $0.state == .staged }
            return [CheckFinding("dkim-signature", domain.text, .wrong, .sending, staged ? "no key of \(domain) signs yet" : "\(domain) has no DKIM key: its mail is not signed",
                                 remedy: staged ? "publish the staged keys' records, then run: postern dkim check \(domain)" : "make keys: postern dkim new \(domain)", why: why)]
        }
        let text = "From: postmaster@\(domain)\r\nTo: postmaster@\(domain)\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\nSubject: test\r\nMessage-ID: <test@\(domain)>\r\n\r\ntest\r\n"
        do {
            let verifier = try DKIMVerifier(resolver: view)
            var fields: [UInt8] = []
            for field in try DKIMSigner().sign(Message(parsing: Array(text.utf8)), with: keys, at: Date(timeIntervalSince1970: TimeInterval(now()))) { fields += field.bytes + [13, 10] }
            let signed = Message(parsing: fields + Array(text.utf8))
            let results = await verifier.verify(signed)
            let failed = results.filter { $0.verdict != .pass }
            guard let first = failed.first else {
                return [CheckFinding("dkim-signature", domain.text, .ok, .sending, "a test message's \(results.count == 1 ? "signature verifies" : "\(results.count) signatures verify")", why: why)]
            }
            let verdict: CheckFinding.Verdict = first.verdict == .temperror ? .unknown : .wrong
            return [CheckFinding("dkim-signature", domain.text, verdict, .sending, "a test message's signature by \(first.selector ?? "?") does not verify: \(first.verdict.rawValue), \(first.reason)",
                                 remedy: verdict == .wrong ? "publish the key's record as postern dns records shows it" : nil, why: why)]
        } catch { return [CheckFinding("dkim-signature", domain.text, .unknown, .sending, "no test message could be signed: \(error)", why: why)] }
    }
}
