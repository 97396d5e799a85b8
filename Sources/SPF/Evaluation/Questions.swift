import DNS
import NetworkAddress

/// Macro expansion into names, the budgets, and the one place that asks the DNS.
extension CheckHost {
    /// A domain-spec's name. Nil when the expansion is not a name the DNS could hold: it is then as if it did not exist.
    mutating func expand(_ spec: MacroString, _ domain: DomainName) async throws(Abort) -> DomainName? {
        if isUnspeakable(spec) { return nil }
        let validated = spec.letters.contains("p") ? try await validatedName(domain) : ""
        var text = Substring(spec.expand(values, domain: domain, validatedName: validated))
        if text.hasSuffix(".") { text.removeLast() }
        // §7.3: an overlong name loses labels on the left.
        while text.utf8.count > 253, let dot = text.firstIndex(of: ".") { text = text[text.index(after: dot)...] }
        guard !text.isEmpty else { return nil }
        return DomainName(queryName: text)
    }

    /// RFC 8616 §4: terms with `%{s}` or `%{l}` match nothing when the local part is not US-ASCII.
    func isUnspeakable(_ spec: MacroString) -> Bool {
        !spec.letters.isDisjoint(with: ["s", "l"]) && values.sender.localPart.utf8.contains { $0 >= 0x80 }
    }

    /// §4.6.4: at most ten terms that ask the DNS, over all records visited.
    mutating func countTerm(_ text: String, _ domain: DomainName) throws(Abort) {
        lookupTerms += 1
        guard lookupTerms <= limits.lookupTerms else {
            throw Abort(
                verdict: .permerror,
                reason: "more than \(limits.lookupTerms) terms need the DNS, '\(text)' in the record of \(domain) being the next "
                    + "(RFC 7208 section 4.6.4)")
        }
    }

    /// - Parameters:
    ///   - countsVoid: whether an empty answer counts against the limit of void look-ups (§4.6.4).
    ///   - failsSoftly: hand temporary failures back rather than end with temperror.
    mutating func ask(
        _ name: DomainName, _ type: DNSRecordType, countsVoid: Bool, failsSoftly: Bool = false
    ) async throws(Abort) -> DNSResponse {
        try checkDeadline()
        let question = DNSQuestion(name, type)
        let response = await resolver.resolve(question)
        lookups.append(SPFLookup(question: question, outcome: LookupSummary.text(of: response.outcome, type)))
        try checkDeadline()
        switch response.outcome {
        case .records: break
        case .temporaryFailure(let why) where !failsSoftly:
            throw Abort(verdict: .temperror, reason: "the DNS did not answer \(question): \(why)")
        case .temporaryFailure: break
        case .noData, .nameError:
            if countsVoid { voidLookups += 1 }
            guard voidLookups <= limits.voidLookups else {
                throw Abort(
                    verdict: .permerror,
                    reason: "more than \(limits.voidLookups) look-ups found nothing, \(question) being the last (RFC 7208 section 4.6.4)")
            }
        }
        return response
    }

    private func checkDeadline() throws(Abort) {
        guard Task.isCancelled else { return }
        throw Abort(verdict: .temperror, reason: "the evaluation took longer than \(limits.deadline) (RFC 7208 section 4.6.4)")
    }
}

/// An answer in a few words, for the trace.
enum LookupSummary {
    private static let shown = 4

    static func text(of outcome: DNSResponse.Outcome, _ type: DNSRecordType) -> String {
        guard case .records(let all) = outcome, all.count > shown else {
            return outcome.summary(of: type).map(PrintableText.clean).joined(separator: ", ")
        }
        let first = DNSResponse.Outcome.records(Array(all.prefix(shown))).summary(of: type).map(PrintableText.clean)
        return "\(all.count) records: \(first.joined(separator: ", ")), ..."
    }
}
