import NetworkAddress

/// Records as lines for a zone file (RFC 1035 §5), names absolute, so that the fragment can be included anywhere in its zone.
public struct ZoneFragment: Sendable {
    private let plan: RecordPlan
    /// Whether the zones are signed with DNSSEC: TLSA records stand uncommented then.
    private let isSigned: Bool
    private let only: DomainName?

    /// - Parameter only: the domain whose zone is wanted; nil for all of them, one after the other.
    public init(_ plan: RecordPlan, isSigned: Bool = false, only: DomainName? = nil) {
        self.plan = plan
        self.isSigned = isSigned
        self.only = only
    }

    public var text: String {
        let zones = only.map { [$0] } ?? plan.setup.domains
        var parts = plan.remarks.map { Self.comment("note: \($0)") }
        if only == nil, plan.setup.domain(above: plan.setup.hostname) == nil {
            let host = plan.records.filter { $0.domain == nil && $0.place == .zone }
            if !host.isEmpty { parts.append(section("of the zone that holds \(plan.setup.hostname)", host)) }
        }
        for zone in zones {
            parts.append(section("of the zone \(zone)", plan.records(for: zone)))
            parts += plan.policies.filter { $0.domain == zone }.map(policy)
        }
        let reverse = plan.records.filter { $0.place == .provider }
        if !reverse.isEmpty { parts.append(providers(reverse)) }
        return parts.joined(separator: "\n")
    }

    private func section(_ title: String, _ records: [WantedRecord]) -> String {
        var out = Self.comment("==== records \(title)")
        var last = ""
        for record in records {
            if record.why != last { out += Self.comment("\(record.purpose.rawValue): \(record.why)") }
            last = record.why
            out += line(record)
        }
        return out
    }

    private func line(_ record: WantedRecord) -> String {
        let text = "\(record.name.presentation) \(record.timeToLive) IN \(record.type) \(record.value.zoneText)\n"
        guard let condition = record.condition, !(record.purpose == .tlsa && isSigned) else { return text }
        return Self.comment(condition) + ";" + text
    }

    private func policy(_ file: PolicyFile) -> String {
        let lines = file.text.split(whereSeparator: \.isNewline).map { Self.comment("    \($0)") }
        return Self.comment("\(file.address) must say, as text/plain, with lines that end in CRLF:") + lines.joined()
    }

    private func providers(_ records: [WantedRecord]) -> String {
        Self.comment("==== to ask for at whoever lends you the address: \(records[0].why)")
            + records.map { Self.comment("\($0.name.presentation) \($0.timeToLive) IN PTR \($0.value.zoneText)") }.joined()
    }

    private static func comment(_ text: String) -> String { "; \(text)\n" }
}
