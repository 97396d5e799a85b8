import NetworkAddress

/// A plan for programs; the shape of the JSON.
public struct RecordReport: Sendable, Encodable {
    struct Record: Sendable, Encodable {
        let domain: String?
        let name: String
        let type: String
        let ttl: UInt32
        /// As a zone file writes it.
        let value: String
        /// Of a TXT record: the text as a web form asks for it, undivided.
        let text: String?
        let purpose: String
        let weight: String
        /// `zone`, or `provider` for what whoever lends the address has to publish.
        let publishedBy: String
        let why: String
        let condition: String?
    }

    struct Policy: Sendable, Encodable {
        let domain: String
        let url: String
        let text: String
    }

    let hostname: String
    let records: [Record]
    let policies: [Policy]
    let remarks: [String]

    public init(_ plan: RecordPlan, only: DomainName? = nil) {
        hostname = plan.setup.hostname.text
        let wanted = only.map { plan.records(for: $0) } ?? plan.records
        records = wanted.map { Record($0) }
        policies = plan.policies.filter { only == nil || $0.domain == only }.map { Policy(domain: $0.domain.text, url: $0.address, text: $0.text) }
        remarks = plan.remarks
    }
}

extension RecordReport.Record {
    init(_ record: WantedRecord) {
        domain = record.domain?.text
        name = record.name.text
        type = record.type.description
        ttl = record.timeToLive
        value = record.value.zoneText
        if case .text(let text) = record.value { self.text = text } else { text = nil }
        purpose = record.purpose.rawValue
        weight = record.weight.rawValue
        publishedBy = record.place.rawValue
        why = record.why
        condition = record.condition
    }
}

/// A plan for people: name, type and data in columns, one line why below each group.
public enum RecordRows {
    /// - Returns: groups of a heading and rows of cells; long data is cut, since the zone format shows it whole.
    public static func groups(_ plan: RecordPlan, only: DomainName? = nil, width: Int = 72) -> [(heading: String, rows: [[String]])] {
        let records = only.map { plan.records(for: $0) } ?? plan.records
        var out: [(heading: String, rows: [[String]])] = []
        for record in records {
            let heading = heading(record)
            if out.last?.heading != heading { out.append((heading, [])) }
            out[out.count - 1].rows.append([record.name.text, record.type.description, cut(data(record.value), width), record.weight.rawValue, why(record)])
        }
        return out
    }

    private static func heading(_ record: WantedRecord) -> String {
        if record.place == .provider { return "to ask for at whoever lends you the address" }
        return record.domain.map { "\($0)" } ?? "the host"
    }

    private static func why(_ record: WantedRecord) -> String { record.why + (record.condition.map { " (publish it \($0))" } ?? "") }

    private static func data(_ value: RecordValue) -> String { if case .text(let text) = value { text } else { value.zoneText } }

    private static func cut(_ text: String, _ width: Int) -> String { text.count <= width ? text : text.prefix(width - 1) + "…" }
}
