import NetworkAddress
import Synchronization

/// A resolver made of zone text: no network, the same answers each time.
///
///     let dns = try ZoneResolver("""
///         example.com. TXT "v=spf1 -all"
///         example.com. MX 10 mail
///         """, failing: ["slow.example"])
///
/// Names that exist only because something lies below them are NODATA, all others NXDOMAIN; CNAMEs are followed up
/// to eight times and a loop is a temporary failure.
public final class ZoneResolver: Resolver {
    private let records: [DomainName: [DNSRecordType: [ZoneRecord]]]
    private let existing: Set<DomainName>
    private let failing: [DomainName: String]
    private let secure: Set<DomainName>
    private let asked = Mutex<[DNSQuestion]>([])

    /// - Parameters:
    ///   - zone: lines in master-file form, see ``ZoneText``.
    ///   - failing: names whose questions fail temporarily, unless the zone has records of the type asked for.
    ///   - timeouts: the same, with a time-out as the reason.
    ///   - secure: zones whose answers, absence included, say that DNSSEC proved them.
    /// - Throws: ``ZoneTextError``.
    public convenience init(_ zone: String, failing: [String] = [], timeouts: [String] = [], secure: [String] = []) throws {
        self.init(records: try ZoneText.parse(zone), failing: failing, timeouts: timeouts, secure: secure)
    }

    public init(records parsed: [ZoneRecord], failing: [String] = [], timeouts: [String] = [], secure: [String] = []) {
        records = Dictionary(grouping: parsed, by: \.name).mapValues { Dictionary(grouping: $0, by: \.type) }
        var reasons: [DomainName: String] = [:]
        for name in failing { if let name = DomainName(queryName: name) { reasons[name] = "SERVFAIL" } }
        for name in timeouts { if let name = DomainName(queryName: name) { reasons[name] = "timed out" } }
        self.failing = reasons
        self.secure = Set(secure.compactMap { DomainName(queryName: $0) })
        existing = Self.withAncestors(records.keys)
    }

    /// Every question in the order asked, the CNAME steps not counted.
    public var questions: [DNSQuestion] { asked.withLock { $0 } }
    public var queryCount: Int { asked.withLock { $0.count } }

    public func resolve(_ question: DNSQuestion) async -> DNSResponse {
        asked.withLock { $0.append(question) }
        var name = question.name
        for _ in 0...8 {
            let types = records[name] ?? [:]
            if let found = types[question.type] { return answer(found, name) }
            if let reason = failing[name] { return DNSResponse(.temporaryFailure(reason)) }
            guard let alias = types[.cname]?.first, let target = WireName.decode(alias.rdata[...])?.name else {
                return DNSResponse(existing.contains(name) ? .noData : .nameError, isSecure: isSecure(name), canonicalName: name)
            }
            name = target
        }
        return DNSResponse(.temporaryFailure("CNAME chain too long at \(question.name)"))
    }

    private func answer(_ found: [ZoneRecord], _ name: DomainName) -> DNSResponse {
        let timeToLive = found.map(\.timeToLive).min() ?? 0
        return DNSResponse(.records(found.map(\.rdata)), isSecure: isSecure(name), canonicalName: name, timeToLive: timeToLive)
    }

    private func isSecure(_ name: DomainName) -> Bool { secure.contains { name.isSame(orBelow: $0) } }

    /// RFC 8020 and RFC 4592 §2.2.2: a name with something below it exists, records or not.
    private static func withAncestors(_ names: some Sequence<DomainName>) -> Set<DomainName> {
        var all: Set<DomainName> = []
        for name in names {
            var next: DomainName? = name
            while let current = next, all.insert(current).inserted { next = current.parent }
        }
        return all
    }
}
