import DecisionRecords
import Foundation
import Logging
import MailFilters
import Milter

/// One line of the log for each message that ended, and its figures.
struct DecisionLog {
    let logger: Logger
    let metrics: Metrics

    func ended(_ record: DecisionRecord) {
        metrics.count(record)
        logger.info("message", metadata: Self.fields(record))
    }

    func refused(_ refusal: ConnectionRefusal) {
        metrics.add("postern_connections_refused_total", [("stage", RecordMaker.stage(refusal.stage))])
        logger.info("connection refused", metadata: [
            "id": "\(refusal.transaction.id)", "client": "\(refusal.transaction.connection.clientAddress?.description ?? "local")",
            "stage": "\(RecordMaker.stage(refusal.stage))", "reply": "\(refusal.reply)", "filter": "\(refusal.filter ?? "server")",
        ])
    }

    private static let listed = 5

    static func fields(_ record: DecisionRecord) -> Logger.Metadata {
        let recipients = record.envelope.recipients
        let results = record.results
        // Room for all at once: every message pays for this.
        var out = Logger.Metadata(minimumCapacity: 24)
        func put(_ name: String, _ value: String?) { if let value, !value.isEmpty { out[name] = .string(value) } }
        put("id", record.id)
        put("listener", record.client.listener)
        put("client", record.client.address ?? "local")
        put("sender", record.envelope.sender ?? "<>")
        out["to"] = .string(list(recipients.map(\.address)))
        put("recipients", String(recipients.count))
        put("verdict", record.verdict.kind.rawValue)
        put("reply", record.verdict.reply)
        put("account", record.client.account)
        put("size", record.size.map { String($0) })
        put("spf", results.spf.first?.verdict)
        put("dkim", results.dkim.map { $0.isEmpty ? "none" : list($0.map { $0.verdict + ":" + ($0.domain ?? "?") }) })
        put("dmarc", results.dmarc?.verdict)
        put("tag", results.tags.map { list($0.map(\.status)) })
        put("rule", record.rules.last?.rule)
        put("filter", record.verdict.filter)
        put("stage", record.verdict.stage)
        put("folder", record.folder)
        put("copies", list(record.copies.map { copy in copy.queueID.map { "queue:" + $0 } ?? (copy.refusal != nil ? "refused" : "stored") }))
        put("seconds", TransactionAge.text(record.id))
        return out
    }

    private static func list(_ words: [String]) -> String {
        if words.count == 1, let word = words.first { return word }
        return words.prefix(listed).joined(separator: ",") + (words.count > listed ? ",…" : "")
    }
}

/// How long ago a message's id was given: it is the microsecond, in base 36, and two characters more.
enum TransactionAge {
    static func seconds(_ id: String, now: Date = Date()) -> Double? {
        guard let microseconds = UInt64(id.dropLast(2), radix: 36) else { return nil }
        let age = now.timeIntervalSince1970 - Double(microseconds) / 1e6
        return (0..<86_400).contains(age) ? age : nil
    }

    /// With three digits after the point.
    static func text(_ id: String, now: Date = Date()) -> String? {
        guard let seconds = seconds(id, now: now) else { return nil }
        let thousandths = Int((seconds * 1000).rounded())
        return "\(thousandths / 1000)." + String(thousandths % 1000 + 1000).dropFirst()
    }
}
