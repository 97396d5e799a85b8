import DecisionRecords

/// What the authentication methods and the ledger found, with the DNS records that it rests on.
struct StoryFindings {
    private let record: DecisionRecord
    private let results: DecisionRecord.Results

    init(_ record: DecisionRecord) {
        self.record = record
        results = record.results
    }

    var lines: [String] { reverseName + spf + dkim + dmarc + tags + signed }

    private var client: String { record.origin?.address ?? record.client.address ?? "the client" }

    private var reverseName: [String] {
        guard let name = results.reverseName, name.verdict != "pass" else { return [] }
        return ["Its address has no name that leads back to it: \(Plain.line(name.reason))."]
    }

    private var spf: [String] {
        results.spf.map { spf in
            let helo = spf.identity == "helo" ? " (the HELO name)" : ""
            let why = spf.match.map { " by \(Plain.line($0))" } ?? (spf.verdict == "permerror" || spf.verdict == "temperror" ? ": \(Plain.line(spf.reason))" : "")
            return VerdictWords.spf(spf, client: client) + helo + why + "." + Self.quote("record", spf.record)
        }
    }

    private var dkim: [String] {
        guard let signatures = results.dkim else { return [] }
        guard !signatures.isEmpty else { return ["It bore no DKIM signature."] }
        return signatures.map { signature in
            let who = signature.domain.map(Plain.line) ?? "nobody that can be read"
            let how = [signature.selector.map { "selector \(Plain.line($0))" }, signature.algorithm.map(Plain.line)].compactMap { $0 }.joined(separator: ", ")
            let why = signature.verdict == "pass" && signature.coversWholeBody ? "" : ": \(Plain.line(signature.reason))"
            return "It was signed by \(who)\(how.isEmpty ? "" : " (\(how))"), and the signature \(VerdictWords.dkim(signature.verdict))\(why)."
                + Self.quote("key", signature.keyRecord)
        }
    }

    private var dmarc: [String] {
        guard let dmarc = results.dmarc else { return [] }
        let why = dmarc.verdict == "pass" || dmarc.verdict == "none" ? "" : ": \(Plain.line(dmarc.reason))"
        let policy = dmarc.policy.map { "; the owner \(VerdictWords.policy($0))" } ?? ""
        return [VerdictWords.dmarc(dmarc) + policy + why + "." + Self.quote("record of \(Plain.line(dmarc.policy?.domain ?? ""))", dmarc.policy?.record)]
    }

    private var tags: [String] {
        (results.tags ?? []).map { tag in
            "The tag \"\(Plain.line(tag.detail))\" of \(Plain.line(tag.base)) \(VerdictWords.tag(tag.status)): \(Plain.line(tag.explanation))"
        }
    }

    private var signed: [String] { results.signedBy.isEmpty ? [] : ["It was signed here with \(results.signedBy.map(Plain.line).joined(separator: " and "))."] }

    private static func quote(_ name: String, _ text: String?) -> String { text.map { "\n    \(name): \(Plain.line($0))" } ?? "" }
}
