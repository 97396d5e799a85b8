import ACME
import HTTPSClient
import NetworkAddress

extension Known {
    static let certificates: [any AnySetting] = [
        acme, acmeDirectory, acmeEmail, acmeDomains, acmeChallenge, acmeCAFile, mtaSTSMode, mtaSTSMX, mtaSTSMaxAge,
    ]

    public static let acme = Setting("acme", false,
        "Obtain the certificate from an authority by ACME (RFC 8555) and renew it when a third of its life is left; with `true` you agree to the authority's terms of service. It is the default certificate as soon as it is there; until then `smtpd_tls_cert_file`, or one that vouches for itself. See [certificates.md](certificates.md).")
    public static let acmeDirectory = Setting("acme_directory", ACMEDirectory.production,
        "The authority's directory: `letsencrypt`, `letsencrypt-staging` for trying things out, or an https URL.",
        wanted: "\"letsencrypt\", \"letsencrypt-staging\" or an https URL such as \"https://acme.example.org/directory\"") { HTTPSPlace(ACMEDirectory.url($0)) != nil }
    public static let acmeEmail = Setting("acme_email", "", "Where the authority can warn you. Empty: nowhere.",
        wanted: "an address such as \"you@example.org\"") { $0.isEmpty || ($0.contains("@") && !$0.contains(",") && $0.utf8.allSatisfy { $0 > 32 && $0 < 127 }) }
    public static let acmeDomains = Setting("acme_domains", [DomainName](),
        "The names in the certificate, each of which must lead to this machine. Empty: `myhostname`, and `mta-sts.` of each domain of `mydestination` when `mta_sts_mode` is set.")
    public static let acmeChallenge = Setting("acme_challenge", Choice(ChallengeKind.http01),
        "How control of the names is shown: `http-01` at `listen.http`, or `tls-alpn-01` at `listen.https`. The authority comes to ports 80 and 443.")
    public static let acmeCAFile = Setting("acme_CAfile", FilePath(""), "Authorities (PEM) that the directory's own certificate is verified with. Empty: the system's.")

    public static let mtaSTSMode = Setting(live: "mta_sts_mode", Choice(PolicyMode.off),
        "Serve an MTA-STS policy (RFC 8461) for each domain of `mydestination` at `listen.https`: `testing`, `enforce`, `none` to withdraw one; `off`: serve nothing. `mta-sts.DOMAIN` must lead to this machine and stand in a certificate.")
    public static let mtaSTSMX = Setting(live: "mta_sts_mx", [String](), "The policy's `mx` lines: host names, or `*.example.org`. Empty: `myhostname`.",
        wanted: "a list of host names such as [\"mail.example.org\", \"*.example.net\"]") {
            $0.allSatisfy { DomainName($0.hasPrefix("*.") ? String($0.dropFirst(2)) : $0)?.isHostName == true } }
    public static let mtaSTSMaxAge = Setting(live: "mta_sts_max_age", TimeSpan(seconds: 604_800), "How long others may keep the policy.",
        wanted: "a time from \"1d\" to \"1y\" (31557600 seconds)") { (86_400...31_557_600).contains($0.seconds) }
}

/// Which policy is served.
public enum PolicyMode: String, CaseIterable, Sendable { case off, none, testing, enforce }

/// Names for directories that many use.
public enum ACMEDirectory {
    public static let production = "letsencrypt"
    public static let staging = "letsencrypt-staging"

    public static func url(_ text: String) -> String {
        switch text {
        case production: "https://acme-v02.api.letsencrypt.org/directory"
        case staging: "https://acme-staging-v02.api.letsencrypt.org/directory"
        default: text
        }
    }
}

extension Settings {
    /// What is asked for.
    var acmeOrder: ACMESession.Order {
        let named = self[Known.acmeDomains].map { $0.text.lowercased() }
        let policies = self[Known.mtaSTSMode].word == .off ? [] : self[Known.mydestination].map { "mta-sts." + $0.text.lowercased() }
        let names = named.isEmpty ? [self[Known.myhostname].text.lowercased()] + policies : named
        var seen = Set<String>()
        return .init(directory: ACMEDirectory.url(self[Known.acmeDirectory]), names: names.filter { seen.insert($0).inserted }, contact: self[Known.acmeEmail],
                     challenge: self[Known.acmeChallenge].word)
    }

    /// Whether somebody has to be answered there.
    var needsHTTP: Bool { self[Known.acme] && self[Known.acmeChallenge].word == .http01 }
    var needsHTTPS: Bool { (self[Known.acme] && self[Known.acmeChallenge].word == .tlsALPN01) || self[Known.mtaSTSMode].word != .off }
}
