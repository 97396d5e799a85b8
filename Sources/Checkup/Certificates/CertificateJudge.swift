import Foundation
import NetworkAddress
import TLS

/// What is wrong with a certificate chain, for one name at one time.
struct CertificateJudge: Sendable {
    let host: DomainName
    /// Seconds since 1970.
    let now: Int64
    let trust: TLSTrust
    /// Nobody renews that late.
    static let soon: Int64 = 14 * 86_400

    struct Fault: Sendable, Hashable {
        let check: String
        let isWrong: Bool
        let text: String
        let remedy: String
    }

    /// Blocks: reads the authorities.
    func faults(_ chain: [InspectedCertificate]) -> [Fault] {
        guard let leaf = chain.first else { return [Fault(check: "certificate", isWrong: true, text: "there is no certificate", remedy: "name a certificate in smtpd_tls_cert_file")] }
        return dates(leaf) + names(leaf) + order(chain) + trustFault(chain)
    }

    private func dates(_ leaf: InspectedCertificate) -> [Fault] {
        let day = Self.day(leaf.notAfter)
        if leaf.notAfter < now {
            return [Fault(check: "certificate-expired", isWrong: true, text: "the certificate expired on \(day), \(Self.days(now - leaf.notAfter)) ago", remedy: "renew it, and see why the renewal did not run")]
        }
        if leaf.notBefore > now {
            return [Fault(check: "certificate-date", isWrong: true, text: "the certificate is valid only from \(Self.day(leaf.notBefore)) on", remedy: "check this machine's clock, which says \(Self.day(now))")]
        }
        guard leaf.notAfter - now < Self.soon, leaf.notAfter - leaf.notBefore > 2 * Self.soon else { return [] }
        return [Fault(check: "certificate-expiring", isWrong: false, text: "the certificate expires on \(day), in \(Self.days(leaf.notAfter - now))", remedy: "renew it: renewal should have happened by now")]
    }

    private func names(_ leaf: InspectedCertificate) -> [Fault] {
        guard !leaf.bears(host.text) else { return [] }
        let list = leaf.names.isEmpty ? leaf.subject : leaf.names.prefix(8).joined(separator: ", ")
        return [Fault(check: "certificate-name", isWrong: true, text: "the certificate is for \(list), not for \(host)", remedy: "have one issued for \(host): mail clients refuse it otherwise")]
    }

    private func order(_ chain: [InspectedCertificate]) -> [Fault] {
        for (place, pair) in zip(chain, chain.dropFirst()).enumerated() where !pair.0.isSigned(by: pair.1) {
            return [Fault(check: "certificate-order", isWrong: true, text: "certificate \(place + 2) in the chain (\(pair.1.subject)) did not issue the one before it (\(pair.0.subject))",
                          remedy: "put the server's own certificate first, then its issuer, and so on, as certbot's fullchain.pem has them")]
        }
        return []
    }

    private func trustFault(_ chain: [InspectedCertificate]) -> [Fault] {
        guard let leaf = chain.first else { return [] }
        let problem: String?
        do { problem = try ChainVerification.problem(of: chain, trust: trust) } catch { return [Fault(check: "certificate-trust", isWrong: true, text: "the authorities cannot be read: \(error)", remedy: "install ca-certificates, or mend smtp_tls_CAfile")] }
        guard let problem else { return [] }
        if leaf.isSelfIssued {
            return [Fault(check: "certificate-trust", isWrong: false, text: "the certificate vouches for itself: other servers encrypt all the same, mail clients warn", remedy: "have one issued by an authority")]
        }
        let isIncomplete = problem.contains("unable to get")
        return [Fault(check: isIncomplete ? "certificate-chain" : "certificate-trust", isWrong: true,
                      text: isIncomplete ? "the chain is incomplete: the certificate of \(chain.last?.issuer ?? leaf.issuer), which issued \(chain.last?.subject ?? leaf.subject), is not in it and not trusted by itself" : "the chain is not trusted: \(problem)",
                      remedy: isIncomplete ? "put the issuer's certificate behind the server's own in smtpd_tls_cert_file: fullchain.pem, not cert.pem" : "have one issued by an authority that mail clients know")]
    }

    static func day(_ seconds: Int64) -> String { Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601.year().month().day()) }
    static func days(_ seconds: Int64) -> String { seconds < 86_400 ? "\(max(seconds / 3600, 0)) hours" : seconds < 2 * 86_400 ? "1 day" : "\(seconds / 86_400) days" }
}
