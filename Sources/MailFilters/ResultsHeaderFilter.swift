import DKIM
import DMARC
import DNS
import InternetMessage
import Milter
import SPF

/// Writes what was found into an Authentication-Results field at the top (RFC 8601 §4: a trace field).
public struct ResultsHeaderFilter: MailFilter, FilterSession {
    public let name = "results-header"
    public let stages: Set<MilterStage> = [.endOfMessage]
    public let changes: Set<Modification.Kind> = [.addHeaders]
    private let authservID: String

    public init(authservID: String) { self.authservID = authservID }

    public func makeSession() -> any FilterSession { self }

    public func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        let results = Self.results(of: transaction)
        // Mail of our own networks that nobody logged in for: nothing was checked, so nothing is claimed.
        guard !results.isEmpty || !transaction.connection.isOriginating else { return .continue }
        transaction.apply(.insertHeader(index: 0, AuthenticationResults(authservID: authservID, results: results).field))
        return .continue
    }

    static func results(of transaction: Transaction) -> [AuthenticationResults.Result] {
        var out: [AuthenticationResults.Result] = []
        // RFC 8601 §2.7.4; who it was stays with us.
        if transaction.connection.authenticatedUser != nil { out.append(.init("auth", "pass")) }
        if let name = transaction[ReverseNameKey.self] { out.append(result(name)) }
        if let spf = transaction[SPFKey.self] {
            // For the null sender both are the check of the HELO name: said once.
            out += [spf.mailFrom.flatMap { $0.identity == .helo ? nil : $0 }, spf.helo].compactMap { $0 }.map(result)
        }
        if let signatures = transaction[DKIMKey.self] {
            out += signatures.isEmpty ? [.init("dkim", "none")] : signatures.map(result)
        }
        if let dmarc = transaction[DMARCKey.self] { out.append(result(dmarc)) }
        for tagged in transaction[TagKey.self] ?? [] { out.append(result(tagged, alone: transaction.recipients.count == 1)) }
        return out
    }

    /// RFC 8601 §2.7.6: an experimental method of ours. The tag is named to nobody but its owner.
    private static func result(_ tagged: TaggedRecipient, alone: Bool) -> AuthenticationResults.Result {
        .init("x-postern-tag", tagged.verdict.status.rawValue, properties: alone ? [.init("policy", "tag", tagged.verdict.tag.detail)] : [])
    }

    /// RFC 8601 §2.7.3: policy.iprev is the client's address.
    private static func result(_ name: ReverseNameCheck) -> AuthenticationResults.Result {
        .init("iprev", name.verdict.rawValue, reason: Self.short(name.reason), properties: [.init("policy", "iprev", name.address.description)])
    }

    /// RFC 8601 §2.7.2: the identity by its property, smtp.mailfrom or smtp.helo.
    private static func result(_ spf: SPFResult) -> AuthenticationResults.Result {
        .init("spf", spf.verdict.rawValue, reason: spf.verdict == .pass ? nil : Self.short(spf.reason),
              properties: [.init("smtp", spf.identity == .helo ? "helo" : "mailfrom", spf.domainText)])
    }

    /// RFC 8601 §2.7.1 and RFC 6008 §4: header.b tells signatures of one domain apart.
    private static func result(_ dkim: DKIMSignatureResult) -> AuthenticationResults.Result {
        let properties: [(String, String?)] = [("d", dkim.domain?.text), ("s", dkim.selector), ("a", dkim.algorithm), ("b", dkim.signaturePrefix)]
        return .init("dkim", dkim.verdict.rawValue, reason: dkim.verdict == .pass && dkim.coversWholeBody ? nil : Self.short(dkim.reason),
                     properties: properties.compactMap { name, value in value.map { .init("header", name, $0) } })
    }

    /// RFC 8601 §2.7.7 and RFC 9989: header.from, and the policy that applied.
    private static func result(_ dmarc: DMARCResult) -> AuthenticationResults.Result {
        var properties: [AuthenticationResults.Property] = []
        if let from = dmarc.fromDomain { properties.append(.init("header", "from", from.text)) }
        if let policy = dmarc.policy { properties.append(.init("policy", "dmarc", policy.applied.rawValue)) }
        return .init("dmarc", dmarc.verdict.rawValue, reason: dmarc.verdict == .pass ? nil : Self.short(dmarc.reason), properties: properties)
    }

    /// A header is ASCII unless the whole message is internationalised (RFC 6532), and reasons cite clauses by their sign.
    private static func short(_ reason: String) -> String {
        if reason.utf8.count <= 200, reason.utf8.allSatisfy({ $0 < 0x80 }) { return reason }
        let plain = reason.replacing("§", with: "section ").unicodeScalars.map { $0.isASCII ? $0 : "?" }
        return String(String.UnicodeScalarView(plain).prefix(200))
    }
}
