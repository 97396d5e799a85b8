import DecisionRecords
import Delivery
import Synchronization

/// Counters of a running gateway, for Prometheus. A count is a step in a table under a lock that nothing waits behind:
/// a few for each message, none for each octet.
final class Metrics: Sendable {
    /// What there is, with its kind and meaning; nothing else is ever told.
    static let known: [(name: String, kind: String, help: String)] = [
        ("postern_build_info", "gauge", "1, with the version."),
        ("postern_start_time_seconds", "gauge", "When the process started, in seconds since 1970."),
        ("postern_messages_total", "counter", "Messages that ended, by listener and verdict."),
        ("postern_message_size_bytes_total", "counter", "Octets of the messages that ended."),
        ("postern_messages_tls_total", "counter", "Messages that ended, by the version of TLS they came over (none: clear text)."),
        ("postern_filter_results_total", "counter", "Results of SPF, DKIM, DMARC and the tag ledger, by verdict."),
        ("postern_connections_refused_total", "counter", "Connections that filters refused before any message, by stage."),
        ("postern_deliveries_total", "counter", "Attempts to deliver copies from the queue, by outcome."),
        ("postern_dns_questions_total", "counter", "Questions to the DNS that the cache could not answer, by answer."),
        ("postern_dns_seconds_total", "counter", "Time spent waiting for those answers."),
        ("postern_queue_messages", "gauge", "Messages in the queue."),
        ("postern_queue_held_messages", "gauge", "Messages in the queue that are held back."),
        ("postern_queue_oldest_seconds", "gauge", "Age of the oldest message in the queue; 0 when it is empty."),
        ("postern_connections", "gauge", "Connections open now, by listener."),
        ("postern_certificate_expiry_timestamp_seconds", "gauge", "When a certificate in use expires, by its first name."),
        ("postern_acme_failures", "gauge", "Attempts in a row that brought no certificate."),
        ("process_resident_memory_bytes", "gauge", "Memory in use."),
        ("process_open_fds", "gauge", "Open file descriptors."),
        ("process_cpu_seconds_total", "counter", "Processor time, user and system."),
    ]

    /// A name and its labels, of which none has more than two. Its text is made when somebody looks, not for each message.
    struct Series: Hashable {
        struct Label: Hashable {
            let name: String
            let value: String

            init(_ label: (String, String)) { (name, value) = (label.0, label.1.utf8.count <= 200 ? label.1 : String(label.1.prefix(200))) }
        }

        let name: String
        private let first: Label?
        private let second: Label?

        init(_ name: String, _ labels: [(String, String)]) {
            self.name = name
            first = labels.first.map(Label.init)
            second = labels.dropFirst().first.map(Label.init)
        }

        /// As it stands behind the name.
        var labels: String {
            guard let first else { return "" }
            return "{" + Metrics.text(first) + (second.map { "," + Metrics.text($0) } ?? "") + "}"
        }
    }

    private let values = Mutex<[Series: Double]>([:])
    /// Different series at the most: label values are our own words, but nothing may grow for ever.
    private static let limit = 2000

    func add(_ name: String, _ labels: [(String, String)] = [], _ amount: Double = 1) {
        add([Step(name, labels, amount)])
    }

    /// One step of one series.
    private struct Step {
        let series: Series
        let amount: Double

        init(_ name: String, _ labels: [(String, String)], _ amount: Double = 1) {
            series = Series(name, labels)
            self.amount = amount
        }
    }

    /// All under one lock.
    private func add(_ steps: [Step]) {
        values.withLock { values in
            for step in steps where values[step.series] != nil || values.count < Self.limit { values[step.series, default: 0] += step.amount }
        }
    }

    func count(_ record: DecisionRecord) {
        var steps = [
            Step("postern_messages_total", [("listener", record.client.listener), ("verdict", record.verdict.kind.rawValue)]),
            Step("postern_message_size_bytes_total", [], Double(record.size ?? 0)),
            Step("postern_messages_tls_total", [("version", record.client.tls?.version ?? "none")]),
        ]
        func found(_ filter: String, _ result: String) { steps.append(Step("postern_filter_results_total", [("filter", filter), ("result", result)])) }
        if let spf = record.results.spf.first { found("spf", spf.verdict) }
        for dkim in (record.results.dkim ?? []).prefix(10) { found("dkim", dkim.verdict) }
        if let dmarc = record.results.dmarc { found("dmarc", dmarc.verdict) }
        for tag in (record.results.tags ?? []).prefix(10) { found("tag", tag.status) }
        add(steps)
    }

    func delivered(_ outcome: DeliveryOutcome) {
        let word = switch outcome.kind { case .delivered: "delivered"; case .deferred: "deferred"; case .failed: "bounced" }
        add("postern_deliveries_total", [("outcome", word)])
    }

    /// A gauge's value now.
    struct Gauge {
        let name: String
        var labels: [(String, String)] = []
        let value: Double
    }

    /// The text format, version 0.0.4: each name once with its kind, its series sorted.
    func exposition(_ gauges: [Gauge]) -> String {
        var all = values.withLock { $0 }
        for gauge in gauges { all[Series(gauge.name, gauge.labels)] = gauge.value }
        let byName = Dictionary(grouping: all, by: \.key.name)
        var out = ""
        for (name, kind, help) in Self.known {
            out += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
            let lines = (byName[name] ?? []).map { (labels: $0.key.labels, value: $0.value) }
            for (labels, value) in lines.sorted(by: { $0.labels < $1.labels }) { out += "\(name)\(labels) \(Self.number(value))\n" }
        }
        return out
    }

    private static func number(_ value: Double) -> String { value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value) }

    /// Backslash, quote and line feed are escaped in a label's value.
    private static func text(_ label: Series.Label) -> String {
        label.name + "=\"" + label.value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
    }
}
