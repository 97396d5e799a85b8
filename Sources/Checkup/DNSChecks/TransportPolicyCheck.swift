import DNS
import Foundation
import HTTPSClient
import MTASTS
import NetworkAddress
import PublishedRecords

extension DNSCheckup {
    /// The record, and the policy that it announces (RFC 8461 §3).
    func transportPolicy(_ record: WantedRecord, _ domain: DomainName) async -> [CheckFinding] {
        let file = plan.policies.first { $0.domain == domain }
        let plain = RecordLook.Subject(record, .receiving, host: setup.hostname)
        let subject = RecordLook.Subject(check: plain.check, name: plain.name, importance: plain.importance, weight: plain.weight, why: plain.why,
                                         line: record.condition.map { "\(plain.line ?? "") (\($0))" } ?? plain.line)
        let finding = await look.finding(subject, record.name, as: TXTRecord.self) { RecordJudge.sts($0.map(\.joined)) }
        guard finding.record == .present else { return [finding] }
        guard let https, options.usesNetwork, let host = domain.prepending("mta-sts") else {
            return [finding, CheckFinding("mta-sts-policy", domain.text, .skipped, .receiving, "the policy itself was not fetched (--no-network)")]
        }
        return [finding, await policy(of: domain, at: host, https, file)]
    }

    /// The address of the host that the policy is fetched from.
    func policyHost(_ record: WantedRecord) async -> CheckFinding {
        let wanted = setup.addresses.filter { $0.family == (record.type == .a ? .v4 : .v6) }
        return await look.finding(.init(record, .receiving, host: setup.hostname), record.name, record.type) { RecordJudge.addresses(wanted, found: $0.compactMap { IPAddress(octets: $0) }) }
    }

    private func policy(of domain: DomainName, at host: DomainName, _ https: HTTPSClient, _ file: PolicyFile?) async -> CheckFinding {
        let remedy = file.map { "serve this as text/plain at \($0.address), or remove the _mta-sts record:\n\($0.text.replacingOccurrences(of: "\r\n", with: "\n"))" }
        func wrong(_ text: String) -> CheckFinding {
            CheckFinding("mta-sts-policy", domain.text, .wrong, .receiving, text, remedy: remedy, why: "the record announces a policy: servers that kept an older one may refuse to deliver")
        }
        let address = "https://\(host)/.well-known/mta-sts.txt"
        do throws(HTTPSFailure) {
            let answer = try await https.get(host, path: "/.well-known/mta-sts.txt")
            guard answer.status == 200 else { return wrong("\(address) answers \(answer.status) where the policy should be") }
            guard answer.mediaType == "text/plain" else { return wrong("\(address) is \(answer.mediaType), not text/plain (RFC 8461 section 3.2)") }
            return judge(String(decoding: answer.body, as: UTF8.self), domain, wrong)
        } catch { return wrong("the policy at \(address) cannot be had: \(error)") }
    }

    private func judge(_ text: String, _ domain: DomainName, _ wrong: (String) -> CheckFinding) -> CheckFinding {
        let policy: STSPolicy
        do throws(STSPolicy.Invalid) { policy = try STSPolicy(text) } catch { return wrong("the policy cannot be used: \(error)") }
        guard policy.mode == .none || policy.allows(setup.hostname) else { return wrong("the policy does not name \(setup.hostname) (mx: \(policy.mx.joined(separator: ", "))): servers that obey it do not deliver here") }
        return CheckFinding("mta-sts-policy", domain.text, .ok, .receiving, "the policy is served, mode \(policy.mode.rawValue), and allows \(setup.hostname)")
    }
}
