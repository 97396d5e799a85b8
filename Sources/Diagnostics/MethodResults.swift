import DKIM
import DMARC
import DNS
import InternetMessage
import MailFilters
import Milter
import SPF

/// The typed results in a transaction as rows.
enum MethodResults {
    typealias Row = VerificationReport.MethodResult

    static func all(_ transaction: Transaction) -> [Row] {
        var rows: [Row] = []
        if let name = transaction[ReverseNameKey.self] { rows.append(row(name)) }
        if let spf = transaction[SPFKey.self] {
            if let ofSender = spf.mailFrom, ofSender.identity == .mailfrom { rows.append(row(ofSender)) }
            if let ofHelo = spf.helo { rows.append(row(ofHelo)) }
        }
        if let signatures = transaction[DKIMKey.self] { rows += signatures.isEmpty ? [unsigned] : signatures.map(row) }
        if let dmarc = transaction[DMARCKey.self] { rows.append(row(dmarc)) }
        for tagged in transaction[TagKey.self] ?? [] {
            rows.append(row("tag", tagged.verdict.status.rawValue, tagged.recipient.description, tagged.verdict.explanation))
        }
        return rows
    }

    private static let unsigned = Row(method: "dkim", result: "none", subject: "", reason: "the message has no DKIM-Signature", recordName: nil, record: nil)

    private static func row(_ method: String, _ result: String, _ subject: String, _ reason: String, at name: String? = nil, _ record: String? = nil) -> Row {
        Row(method: method, result: result, subject: Plain.line(subject), reason: Plain.line(reason), recordName: record == nil ? nil : name,
            record: record.map(Plain.line))
    }

    private static func row(_ name: ReverseNameCheck) -> Row {
        row("iprev", name.verdict.rawValue, name.address.description, name.reason)
    }

    private static func row(_ spf: SPFResult) -> Row {
        row("spf", spf.verdict.rawValue, "\(spf.identity.rawValue) \(spf.domainText)", spf.reason, at: spf.domain.map { "\($0) TXT" }, spf.record)
    }

    private static func row(_ dkim: DKIMSignatureResult) -> Row {
        let words = [dkim.domain.map { "d=\($0)" }, dkim.selector.map { "s=\($0)" }, dkim.algorithm.map { "a=\($0)" }].compactMap { $0 }
        var name: String?
        if let selector = dkim.selector, let domain = dkim.domain { name = "\(selector)._domainkey.\(domain) TXT" }
        return row("dkim", dkim.verdict.rawValue, words.joined(separator: " "), dkim.reason, at: name, dkim.keyRecord)
    }

    private static func row(_ dmarc: DMARCResult) -> Row {
        row("dmarc", dmarc.verdict.rawValue, dmarc.fromDomain?.text ?? "no author domain", dmarc.reason,
            at: dmarc.policy.map { "_dmarc.\($0.domain) TXT" }, dmarc.policy?.record.text)
    }
}

/// A change as a line.
enum ChangeText {
    static func of(_ change: Modification) -> String {
        switch change {
        case .insertHeader(_, let field): "insert " + line(field)
        case .addHeader(let field): "add " + line(field)
        case .changeHeader(let name, let occurrence, let field?): "change \(Plain.line(name)) \(occurrence) to " + line(field)
        case .changeHeader(let name, let occurrence, nil): "remove \(Plain.line(name)) \(occurrence)"
        case .addRecipient(let recipient): "add recipient <\(recipient.address)>"
        case .removeRecipient(let address): "remove recipient <\(address)>"
        case .changeSender(let sender): "change sender to <\(sender.address?.description ?? "")>"
        case .replaceBody(let body): "replace body by \(body.count) octets"
        case .quarantine(let reason): "quarantine: " + Plain.line(reason)
        }
    }

    private static func line(_ field: HeaderField) -> String { Plain.line(field.name + ": " + field.value.replacing("\t", with: " ")) }
}
