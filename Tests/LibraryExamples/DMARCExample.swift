// Example: DMARC
import DMARC
import DNS
import InternetMessage
import NetworkAddress

/// What the owner of the From domain asks to be done with a message (RFC 9989), given what SPF and DKIM found.
func disposition(from: String, spf: String?, dkim: [String], asking dns: any Resolver) async -> String {
    let field = HeaderField(name: "From", value: from)
    let result = await DMARCEvaluator(resolver: dns).evaluate(
        fromFields: [field], spf: spf.flatMap { DomainName($0) }, dkim: dkim.compactMap { DomainName($0) })
    return "\(result.verdict.rawValue), \(result.disposition.rawValue)"
}
// With `_dmarc.example.org TXT "v=DMARC1; p=reject"`: "fail, reject" without a domain that is authenticated.
