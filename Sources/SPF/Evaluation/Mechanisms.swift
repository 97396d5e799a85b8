import DNS
import NetworkAddress

/// The mechanisms (RFC 7208 §5).
extension CheckHost {
    mutating func matches(_ directive: SPFRecord.Directive, _ domain: DomainName) async throws(Abort) -> Bool {
        switch directive.mechanism {
        case .all: return true
        case .ip(let network):
            // §5: an IPv4-mapped client is an IPv4 client, and ip6 never matches one.
            return network.address.family == values.client.family && network.contains(values.client)
        case .include(let spec):
            try countTerm(directive.text, domain)
            return try await includes(spec, directive.text, domain)
        case .a(let spec, let prefix):
            try countTerm(directive.text, domain)
            guard let target = try await target(spec, domain) else { return false }
            return try await hasClient(target, prefix)
        case .mx(let spec, let prefix):
            try countTerm(directive.text, domain)
            guard let target = try await target(spec, domain) else { return false }
            return try await exchangesHaveClient(target, prefix, directive.text)
        case .ptr(let spec):
            try countTerm(directive.text, domain)
            guard let target = try await target(spec, domain) else { return false }
            return try await validatedNames(countsVoid: true).contains { $0.isSame(orBelow: target) }
        case .exists(let spec):
            try countTerm(directive.text, domain)
            guard let target = try await target(spec, domain) else { return false }
            // §5.7: A, whatever the client's family.
            if case .records = try await ask(target, .a, countsVoid: true).outcome { return true }
            return false
        }
    }

    /// The target-name (§4.8): the term's own, or the current domain. Nil when it is no name, which matches nothing.
    private mutating func target(_ spec: MacroString?, _ domain: DomainName) async throws(Abort) -> DomainName? {
        guard let spec else { return domain }
        return try await expand(spec, domain)
    }

    /// §5.3: whether any address of the client's family, widened to its prefix, holds the client.
    private mutating func hasClient(_ name: DomainName, _ prefix: SPFRecord.DualPrefix) async throws(Abort) -> Bool {
        try await addresses(name, countsVoid: true).contains { prefix.network(of: $0)?.contains(values.client) ?? false }
    }

    /// §5.4 and §4.6.4: more than ten exchanges are a permerror, told before any is looked up so that the result does
    /// not hang on the order of records. No implicit MX.
    private mutating func exchangesHaveClient(
        _ name: DomainName, _ prefix: SPFRecord.DualPrefix, _ text: String
    ) async throws(Abort) -> Bool {
        guard case .records(let all) = try await ask(name, .mx, countsVoid: true).outcome else { return false }
        let records = all.compactMap { MXRecord(rdata: $0) }
        guard records.count == all.count else { throw Abort(verdict: .temperror, reason: "malformed MX answer for \(name)") }
        guard records.count <= limits.names else {
            throw Abort(verdict: .permerror, reason: "'\(text)': \(name) has more than \(limits.names) MX records (RFC 7208 section 4.6.4)")
        }
        // A null MX (RFC 7505) names no host.
        for record in records.sorted(by: { $0.preference < $1.preference }) where !record.exchange.isRoot {
            if try await hasClient(record.exchange, prefix) { return true }
        }
        return false
    }

    /// The addresses of the client's family (§5.3 and §5.4 ask A or AAAA, never both).
    private mutating func addresses(_ name: DomainName, countsVoid: Bool) async throws(Abort) -> [IPAddress] {
        let type: DNSRecordType = values.client.family == .v4 ? .a : .aaaa
        guard case .records(let all) = try await ask(name, type, countsVoid: countsVoid).outcome else { return [] }
        let octets = values.client.bitWidth / 8
        let addresses = all.compactMap { $0.count == octets ? IPAddress(octets: $0) : nil }
        guard addresses.count == all.count else { throw Abort(verdict: .temperror, reason: "malformed \(type) answer for \(name)") }
        return addresses
    }

    /// §5.5: the client's PTR names, the first ten, that have the client as an address. Failures mean no name. What
    /// they point at is the client's doing and no void look-up of the domain's.
    mutating func validatedNames(countsVoid: Bool) async throws(Abort) -> [DomainName] {
        if let validatedNames { return validatedNames }
        var valid: [DomainName] = []
        if let reverse = DomainName(values.client.reverseName),
            case .records(let all) = try await ask(reverse, .ptr, countsVoid: countsVoid, failsSoftly: true).outcome {
            for name in all.prefix(limits.names).compactMap({ PTRRecord(rdata: $0)?.name }) where !valid.contains(name) {
                let type: DNSRecordType = values.client.family == .v4 ? .a : .aaaa
                let response = try await ask(name, type, countsVoid: false, failsSoftly: true)
                if case .records(let found) = response.outcome, found.contains(values.client.octets) { valid.append(name) }
            }
        }
        validatedNames = valid
        return valid
    }

    /// `%{p}` (§7.3): the domain itself if validated, else a name below it, else any, else `unknown`.
    mutating func validatedName(_ domain: DomainName) async throws(Abort) -> String {
        let names = try await validatedNames(countsVoid: false)
        let best = names.first { $0 == domain } ?? names.first { $0.isSame(orBelow: domain) } ?? names.first
        return best?.text ?? "unknown"
    }
}
