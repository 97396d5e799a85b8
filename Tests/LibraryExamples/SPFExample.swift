// Example: SPF
import DNS
import InternetMessage
import NetworkAddress
import SPF

/// Whether a client may send mail for a sender's domain (RFC 7208), and why.
func mayItSend(_ address: String, as sender: String, asking dns: any Resolver) async -> String {
    guard let client = IPAddress(address) else { return "no address" }
    let spf = SPFEvaluator(resolver: dns, receiverName: "mx.example.net")
    let result = await spf.check(client: client, helo: "mail.example.org", sender: EmailAddress(sender))
    return "\(result.verdict.rawValue): \(result.match?.directive ?? result.reason)"
}
// With `example.org TXT "v=spf1 ip4:192.0.2.0/24 -all"`: "pass: ip4:192.0.2.0/24" for 192.0.2.1, "fail: -all" for others.
