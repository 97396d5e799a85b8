import DNS
import NetworkAddress

/// One run of check_host() with its recursion (RFC 7208 §4): the budgets are shared by every record it visits.
struct CheckHost: Sendable {
    let resolver: any Resolver
    let parsed: ParsedSPFRecords
    let limits: SPFLimits
    let values: MacroValues

    var lookups: [SPFLookup] = []
    /// The record found at each domain.
    var records: [DomainName: String] = [:]
    var lookupTerms = 0
    var voidLookups = 0
    /// The client's validated names, once they were asked for.
    var validatedNames: [DomainName]?

    /// temperror or permerror, which end everything from any depth.
    struct Abort: Error {
        let verdict: SPFVerdict
        let reason: String
    }

    struct Finding: Sendable {
        var verdict: SPFVerdict
        var reason: String
        var match: SPFMatch?
        /// exp= of the record that decided, and that record's domain.
        var explanation: MacroString?
        var domain: DomainName?
        var explanationText: String?
    }

    init(resolver: any Resolver, parsed: ParsedSPFRecords, limits: SPFLimits, values: MacroValues) {
        self.resolver = resolver
        self.parsed = parsed
        self.limits = limits
        self.values = values
    }

    mutating func evaluate(_ domain: DomainName) async -> Finding {
        do throws(Abort) {
            var finding = try await check(domain)
            if finding.verdict == .fail, let spec = finding.explanation, let domain = finding.domain {
                finding.explanationText = await explanation(spec, domain)
            }
            return finding
        } catch {
            return Finding(verdict: error.verdict, reason: error.reason)
        }
    }

    /// One domain's record: its terms from left to right, then redirect, then the default (§4.6 and §4.7).
    private mutating func check(_ domain: DomainName) async throws(Abort) -> Finding {
        let octets: [UInt8]
        switch try await selectRecord(domain) {
        case .found(let found): octets = found
        case .nothing(let why): return Finding(verdict: .none, reason: why)
        }
        let record: SPFRecord
        do throws(SPFRecord.SyntaxError) { record = try parsed.record(octets) { text in Result { () throws(SPFRecord.SyntaxError) in try SPFRecord(text) } }.get() } catch {
            throw Abort(verdict: .permerror, reason: "the record of \(domain) is wrong: \(error.reason)")
        }
        for directive in record.directives where try await matches(directive, domain) {
            let match = SPFMatch(directive: directive.text, domain: domain)
            return Finding(
                verdict: directive.qualifier.verdict, reason: "\(values.client) matches \(match)", match: match,
                explanation: record.explanation?.target, domain: domain)
        }
        if let redirect = record.redirect { return try await follow(redirect, domain) }
        return Finding(verdict: .neutral, reason: "nothing in the record of \(domain) matches \(values.client) (RFC 7208 section 4.7)")
    }

    /// §6.1: the target's result, its exp= included; no record there is an error.
    private mutating func follow(_ redirect: SPFRecord.Modifier, _ domain: DomainName) async throws(Abort) -> Finding {
        try countTerm(redirect.text, domain)
        let target = try await expand(redirect.target, domain)
        if let target {
            let finding = try await check(target)
            if finding.verdict != .none { return finding }
        }
        throw Abort(
            verdict: .permerror, reason: "'\(redirect.text)' in the record of \(domain) leads to no SPF record (RFC 7208 section 6.1)")
    }

    /// §5.2, with §5.2's table of results.
    mutating func includes(_ spec: MacroString, _ text: String, _ domain: DomainName) async throws(Abort) -> Bool {
        if let target = try await expand(spec, domain) {
            let finding = try await check(target)
            if finding.verdict != .none { return finding.verdict == .pass }
        } else if isUnspeakable(spec) {
            return false
        }
        throw Abort(verdict: .permerror, reason: "'\(text)' in the record of \(domain) leads to no SPF record (RFC 7208 section 5.2)")
    }

    private enum Selection {
        case found([UInt8])
        case nothing(String)
    }

    /// §4.4 and §4.5: exactly one TXT record that begins with the version.
    private mutating func selectRecord(_ domain: DomainName) async throws(Abort) -> Selection {
        guard domain.labelCount > 1 else { return .nothing("'\(domain)' is not a fully qualified domain name (RFC 7208 section 4.3)") }
        let response = try await ask(domain, .txt, countsVoid: lookupTerms > 0)
        guard case .records(let all) = response.outcome else {
            return .nothing(response.outcome == .nameError ? "\(domain) does not exist" : "\(domain) publishes no SPF record")
        }
        let texts = all.compactMap { TXTRecord(rdata: $0)?.joined }
        guard texts.count == all.count else { throw Abort(verdict: .temperror, reason: "malformed TXT answer for \(domain)") }
        let records = texts.filter(SPFRecord.isRecord)
        guard let record = records.first else { return .nothing("\(domain) publishes no SPF record") }
        guard records.count == 1 else {
            throw Abort(verdict: .permerror, reason: "\(domain) publishes \(records.count) SPF records instead of one (RFC 7208 section 4.5)")
        }
        self.records[domain] = String(decoding: record, as: UTF8.self)
        return .found(record)
    }

    /// §6.2: anything that goes wrong here means no explanation, and nothing here counts against the limits.
    private mutating func explanation(_ spec: MacroString, _ domain: DomainName) async -> String? {
        guard let target = try? await expand(spec, domain), let response = try? await ask(target, .txt, countsVoid: false),
            case .records(let all) = response.outcome, all.count == 1, let text = TXTRecord(rdata: all[0])?.joined,
            text.allSatisfy({ (32...126).contains($0) }),
            let macro = try? MacroString(String(decoding: text, as: UTF8.self), for: .explanation) else { return nil }
        let validated = macro.letters.contains("p") ? (try? await validatedName(domain)) ?? "unknown" : ""
        return PrintableText.clean(macro.expand(values, domain: domain, validatedName: validated))
    }
}
