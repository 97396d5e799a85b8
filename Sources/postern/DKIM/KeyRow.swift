import DKIM
import DKIMKeys
import Foundation
import NetworkAddress
import PosternDaemon

/// One key as `list` and `check` show it; the shape of their JSON.
struct KeyRow: Encodable {
    let domain: String
    let selector: String
    let algorithm: String
    let bits: Int
    /// `staged`, `active`, `retiring`, `retired`; `configured` for a key of the settings, which signs.
    let state: String
    /// Where the record belongs, and its text.
    let name: String
    let record: String
    var created: Date?
    var seenPublished: Date?
    var activated: Date?
    var keepUntil: Date?
    var retired: Date?
    /// What to do, and the zone line for it.
    let next: String
    let publish: String?
    /// Only in `check`.
    var publication: Publication?
    /// Whether this check let it begin to sign.
    var startedSigning: Bool?

    init(_ key: StoredKey, _ keys: DomainKeys, now: Date = Date()) {
        let step = NextStep(key, of: keys, now: now)
        domain = keys.domain.text
        (selector, algorithm, bits, record) = (key.selector, key.algorithm, key.bits, key.record)
        state = key.state.rawValue
        name = keys.recordName(key)?.text ?? ""
        (created, seenPublished, activated, keepUntil, retired) = (key.created, key.seenPublished, key.activated, key.keepUntil, key.retired)
        (next, publish) = (step.text, step.publish)
    }

    private init(_ key: SigningKey) {
        domain = key.domain.text
        (selector, algorithm, bits, record) = (key.selector, key.algorithm.rawValue, key.bits, key.publicRecord)
        state = "configured"
        name = key.recordName?.text ?? ""
        next = "signs, by a [[dkim]] table of the settings; its record stays published"
        publish = nil
    }

    static func rows(_ keys: DomainKeys) -> [KeyRow] { keys.keys.map { KeyRow($0, keys) } }

    static func rows(_ report: KeyKeeper.Report) -> [KeyRow] {
        report.keys.keys.map { key in
            var row = KeyRow(key, report.keys)
            row.publication = report.publications[key.selector]
            row.startedSigning = report.activated.contains(key.selector) ? true : nil
            return row
        }
    }

    /// The keys that the settings name in `[[dkim]]`.
    static func configured(_ settings: Settings, _ wanted: DomainName?) throws -> [KeyRow] {
        try settings[Known.dkimKeys].filter { wanted == nil || $0.domain == wanted }.map {
            KeyRow(try SigningKey(pemFile: $0.keyFile.path, domain: $0.domain, selector: $0.selector))
        }
    }

    /// The exit status that a check's rows come to.
    static func status(_ rows: [KeyRow]) -> Int32 {
        let verdicts = rows.compactMap(\.publication?.verdict)
        if verdicts.contains(where: { $0 == .missing || $0 == .wrong }) { return 3 }
        return verdicts.contains(.unknown) ? 4 : 0
    }
}

enum KeyPrinter {
    static func print(_ rows: [KeyRow], json: Bool) throws {
        guard !json else {
            let encoder = JSONEncoder()
            encoder.dateEncodingStrategy = .iso8601
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return Swift.print(String(decoding: try encoder.encode(rows), as: UTF8.self))
        }
        for row in rows { Swift.print(lines(row).joined(separator: "\n")) }
    }

    /// What a key that was just made asks for.
    static func staged(_ keys: DomainKeys) {
        Swift.print("; Publish these records (each on one line; where a web form asks, name and text are in: postern dkim list --json).")
        for key in keys.keys(in: .staged) { NextStep(key, of: keys, now: Date()).publish.map { Swift.print($0) } }
        Swift.print("; Then run: postern dkim check \(keys.domain)")
        Swift.print("; A key signs once every name server of the zone has its record.")
    }

    private static func lines(_ row: KeyRow) -> [String] {
        var out = ["\(row.domain)  \(row.selector)  \(row.algorithm) \(row.bits)  \(row.state)" + (row.publication.map { "  \($0.verdict.rawValue)" } ?? "")]
        for finding in row.publication?.findings ?? [] {
            out.append("    \(finding.source): \(finding.verdict.rawValue)" + (finding.detail.isEmpty ? "" : ": \(finding.detail)"))
        }
        if row.startedSigning == true { out.append("    its record is published: it signs from now on (a running server: within ten minutes, or at once with SIGHUP)") }
        out.append("    " + row.next)
        if let line = row.publish { out.append("    " + line) }
        return out
    }
}
