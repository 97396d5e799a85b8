import DKIM
import DMARC
import DNS
import MTASTS

extension RecordJudge {
    /// A key's record (RFC 6376 §3.6.1).
    public static func key(_ wanted: String, found: [[UInt8]]) -> Judgement {
        guard !found.isEmpty else { return .missing }
        guard let record = try? DKIMKeyRecord(parsing: Array(wanted.utf8)) else { return .wrong("our own record text is no key record") }
        guard let problem = KeyRecordMatch.problem(found, record) else { return .present }
        if found.count == 1, let cut = truncation(of: Array(wanted.utf8), found[0]) { return .wrong(cut) }
        return .wrong(problem)
    }

    /// A text that ends too early, which web forms do at 255 octets without a word.
    private static func truncation(of wanted: [UInt8], _ found: [UInt8]) -> String? {
        let (wanted, found) = (wanted.filter { $0 != 32 }, found.filter { $0 != 32 && $0 != 34 })
        guard found.count < wanted.count, found.count > 40, wanted.starts(with: found) else { return nil }
        return "the record is cut off: \(found.count) of \(wanted.count) octets are there. Publish it in several strings of at most 255 octets, which are joined"
    }

    /// A policy record (RFC 9989 §4.7).
    public static func dmarc(_ texts: [[UInt8]]) -> Judgement {
        let meant = texts.filter { String(decoding: $0.prefix(16), as: UTF8.self).lowercased().filter { $0 != " " }.hasPrefix("v=dmarc") }
        guard let first = meant.first else { return texts.isEmpty ? .missing : .wrong("the TXT record there is no DMARC record: it must begin with v=DMARC1") }
        // RFC 9989 §4.10: with more than one, none counts.
        guard meant.count == 1 else { return .wrong("\(meant.count) DMARC records where one must stand: receivers then take none (RFC 9989 section 4.10)") }
        let text = String(decoding: first, as: UTF8.self)
        guard let record = DMARCRecord(first) else { return .wrong("\"\(text)\" is not read as a DMARC record: it must begin with v=DMARC1; with a semicolon between tags (RFC 9989 section 4.8)") }
        if let fault = dmarcFault(text) { return .wrong("\"\(record.text)\": \(fault)") }
        if record.p == .none { return .present(remark: "p=none only watches: mail that fails is delivered all the same") }
        return .present
    }

    /// What parsers pass over and the owner did not mean.
    private static func dmarcFault(_ text: String) -> String? {
        let parts = text.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }.filter { !$0.isEmpty }
        var seen: [String: String] = [:]
        for part in parts {
            guard let equals = part.firstIndex(of: "=") else { return "'\(part)' is not tag=value (RFC 9989 section 4.8)" }
            let tag = part[..<equals].lowercased(), value = String(part[part.index(after: equals)...])
            if seen[tag] != nil { return "the tag \(tag) stands there twice" }
            seen[tag] = value
            if ["p", "sp", "np"].contains(tag), DMARCPolicy(rawValue: value.lowercased()) == nil { return "\(tag)=\(value) is not one of none, quarantine and reject (RFC 9989 section 4.7)" }
            if ["rua", "ruf"].contains(tag), !value.lowercased().hasPrefix("mailto:") { return "\(tag)=\(value) must be mailto: and an address" }
            if !["v", "p", "sp", "np", "adkim", "aspf", "rua", "ruf", "fo", "psd", "t", "pct", "rf", "ri"].contains(tag) { return "'\(tag)' is not a DMARC tag" }
        }
        return seen["p"] == nil ? "the policy p= is missing" : nil
    }

    /// The announcement of an MTA-STS policy (RFC 8461 §3.1); its id is the publisher's own.
    public static func sts(_ texts: [[UInt8]]) -> Judgement {
        let ours = texts.map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasPrefix("v=STSv1") }
        guard let text = ours.first else { return .missing }
        guard ours.count == 1 else { return .wrong("\(ours.count) records where one must stand: the domain then has no policy (RFC 8461 section 3.1)") }
        return STSRecord(text: text) == nil ? .wrong("\"\(text)\" has no id= of 1 to 32 letters and digits (RFC 8461 section 3.1)") : .present
    }

    /// Where TLS reports go (RFC 8460 §3).
    public static func tlsReports(_ texts: [[UInt8]]) -> Judgement {
        let ours = texts.map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasPrefix("v=TLSRPTv1") }
        guard let text = ours.first else { return .missing }
        guard ours.count == 1 else { return .wrong("\(ours.count) records where one must stand (RFC 8460 section 3)") }
        let rua = text.split(separator: ";").dropFirst().map { $0.filter { $0 != " " } }.first { $0.hasPrefix("rua=") }
        guard let rua, rua.hasPrefix("rua=mailto:") || rua.hasPrefix("rua=https:") else { return .wrong("\"\(text)\" has no rua=mailto: or rua=https: (RFC 8460 section 3)") }
        return .present
    }
}
