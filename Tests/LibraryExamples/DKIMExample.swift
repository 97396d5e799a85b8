// Example: DKIM
import DKIM
import DNS
import Foundation
import InternetMessage
import NetworkAddress

/// Signs a message, and verifies it as its receiver would (RFC 6376, RFC 8463).
func signAndVerify(_ text: String, domain: String) async throws -> [String] {
    guard let domain = DomainName(domain) else { return [] }
    let key = try SigningKey(pem: try SigningKey.generate(.ed25519), domain: domain, selector: "s1")
    var message = Message(parsing: Array(text.utf8))
    for field in try DKIMSigner().sign(message, with: [key], at: Date()) { message.header.fields.insert(field, at: 0) }

    // The key's record, as it would be published.
    let dns = try ZoneResolver("s1._domainkey.\(domain). TXT \"\(key.publicRecord)\"")
    let results = try await DKIMVerifier(resolver: dns).verify(message)
    return results.map { "\($0.verdict.rawValue) \($0.domain?.text ?? "")" }
}
