import DNS
import NetworkAddress

/// What each mail domain needs to receive and to be believed.
enum DomainRecords {
    static func exchange(_ domain: DomainName, _ setup: MailSetup) -> WantedRecord {
        WantedRecord(.mx, domain, domain, .exchange(preference: 10, setup.hostname), .required, why: "tells other servers where the domain's mail goes")
    }

    static func spf(_ domain: DomainName, _ setup: MailSetup) -> WantedRecord {
        WantedRecord(.spf, domain, domain, .text(SPFText.domain(setup)), .required, why: "names the machines that may send for the domain (RFC 7208); one such record and no more")
    }

    /// Of every key that signs, will sign, or has signed what may still be under way.
    static func keys(_ domain: DomainName, _ setup: MailSetup) -> [WantedRecord] {
        setup.keys.filter { $0.domain == domain && $0.state != .retired }.compactMap { key in
            guard let name = key.recordName else { return nil }
            return WantedRecord(.dkim, domain, name, .text(key.record), .required, why: why(key.state))
        }
    }

    private static func why(_ state: MailSetup.Key.State) -> String {
        switch state {
        case .configured, .active: "the key that our signatures are checked with"
        case .staged: "a new key: it signs once this record is seen (postern dkim check)"
        case .retiring: "a replaced key: mail that it signed may still be under way"
        case .retired: "done with"
        }
    }

    static func dmarc(_ domain: DomainName, _ setup: MailSetup) -> WantedRecord? {
        guard let name = domain.prepending("_dmarc") else { return nil }
        let reports = setup.dmarcReports.map { "; rua=mailto:\($0)" } ?? ""
        return WantedRecord(.dmarc, domain, name, .text("v=DMARC1; p=\(setup.dmarcPolicy.rawValue)\(reports)"), .required,
                            why: "says what to do with mail that neither SPF nor DKIM vouches for (RFC 9989); large receivers demand one")
    }
}

/// The texts of SPF records (RFC 7208 §4.5 and §5).
enum SPFText {
    static func domain(_ setup: MailSetup) -> String {
        switch setup.relay {
        case nil: words(["mx"] + addresses(setup.otherSources), "-all")
        // Who else the relay sends from is not ours to know: soft.
        case .host(let name)?: words(["mx", "a:\(name)"], "~all")
        case .exchangers(let name)?: words(["mx", "mx:\(name)"], "~all")
        case .address(let address)?: words(["mx"] + addresses([address]), "~all")
        }
    }

    static func host(_ setup: MailSetup) -> String { words(["a"] + addresses(setup.otherSources), "-all") }

    private static func addresses(_ all: [IPAddress]) -> [String] { all.map { ($0.family == .v4 ? "ip4:" : "ip6:") + $0.description } }
    private static func words(_ mechanisms: [String], _ end: String) -> String { (["v=spf1"] + mechanisms + [end]).joined(separator: " ") }
}
