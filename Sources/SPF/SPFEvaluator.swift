import DNS
import InternetMessage
import NetworkAddress
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Checks who may send for a domain (RFC 7208).
public struct SPFEvaluator: Sendable {
    private let resolver: any Resolver
    private let parsed = ParsedSPFRecords()
    private let limits: SPFLimits
    private let receiverName: String
    private let now: @Sendable () -> Int
    private let deadline: Deadline

    /// - Parameters:
    ///   - receiverName: this host's name, for the macro `%{r}`.
    ///   - now: seconds since 1970, for the macro `%{t}`.
    public init(resolver: any Resolver, limits: SPFLimits = .init(), receiverName: String,
                now: @escaping @Sendable () -> Int = { time(nil) }) {
        self.resolver = resolver
        self.limits = limits
        self.receiverName = receiverName
        self.now = now
        deadline = Deadline(limits.deadline)
    }

    /// Checks MAIL FROM; for the null sender, postmaster at the HELO name, as §2.4 says, which the result calls HELO.
    public func check(client: IPAddress, helo: String, sender: EmailAddress?) async -> SPFResult {
        guard let sender else { return await checkHelo(client: client, helo: helo) }
        return await checkHost(
            client: client, domain: sender.domainText, localPart: sender.localPart, helo: helo, identity: .mailfrom)
    }

    /// Checks the HELO name (§2.3). A name that is an address literal or not fully qualified gives `none`.
    public func checkHelo(client: IPAddress, helo: String) async -> SPFResult {
        await checkHost(client: client, domain: helo, localPart: "postmaster", helo: helo, identity: .helo)
    }

    /// check_host() itself (§4.1), for words that need not be an address or a name at all.
    /// - Parameters:
    ///   - localPart: empty means `postmaster` (§4.3).
    ///   - helo: as the client gave it, for the macro `%{h}`.
    /// - Returns: always a result, within the deadline of ``SPFLimits``.
    public func checkHost(client: IPAddress, domain: String, localPart: String, helo: String, identity: SPFIdentity) async -> SPFResult {
        let name = Self.domainName(domain)
        let sender = SPFSender(localPart: localPart.isEmpty ? "postmaster" : localPart, domainText: name?.text ?? domain)
        let values = MacroValues(
            client: client.unmapped, sender: sender, helo: Self.domainName(helo)?.text ?? helo, receiver: receiverName, time: now())
        guard let name else {
            return SPFResult(
                verdict: .none, identity: identity, domainText: domain, domain: nil, match: nil, explanation: nil,
                reason: PrintableText.clean("'\(domain)' is not a fully qualified domain name (RFC 7208 section 4.3)"),
                record: nil, lookups: [])
        }
        // At the deadline the evaluation ends itself with temperror, its trace kept (§4.6.4). A resolver that ignores
        // cancellation delays this to its own deadline.
        let (finding, check) = await deadline.cancelling { [resolver, parsed, limits] in
            var check = CheckHost(resolver: resolver, parsed: parsed, limits: limits, values: values)
            return (await check.evaluate(name), check)
        }
        return SPFResult(
            verdict: finding.verdict, identity: identity, domainText: domain, domain: name, match: finding.match,
            explanation: finding.explanationText, reason: PrintableText.clean(finding.reason),
            record: check.records[name].map(PrintableText.clean), lookups: check.lookups)
    }

    /// A name of several labels; U-labels become A-labels (RFC 8616 §4).
    private static func domainName(_ text: String) -> DomainName? {
        guard !text.hasPrefix("["), IPAddress(text) == nil, let name = DomainName(text), name.labelCount > 1 else { return nil }
        return name
    }
}

/// What may be logged, shown to a client or put into a header: printable US-ASCII of bounded length.
enum PrintableText {
    static func clean(_ text: String) -> String {
        if text.utf8.count <= 1000, text.utf8.allSatisfy({ (32...126).contains($0) }) { return text }
        return String(decoding: text.unicodeScalars.prefix(1000).map { (32...126).contains($0.value) ? UInt8($0.value) : 63 }, as: UTF8.self)
    }
}
