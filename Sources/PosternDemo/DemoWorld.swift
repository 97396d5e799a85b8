import DKIM
import Foundation
import NetworkAddress

/// The demo's little internet: five domains on loopback addresses, their keys and their zone.
struct DemoWorld: Sendable {
    /// A domain of the demo and the loopback address its mail comes from.
    struct Domain: Sendable {
        let name: String
        let address: String
        /// What its DMARC record asks for.
        let policy: String
        /// What it signs with, by selector.
        let keys: [(selector: String, pem: String)]

        func key(_ selector: String) throws -> SigningKey {
            guard let domain = DomainName(name), let pem = keys.first(where: { $0.selector == selector })?.pem else {
                throw DemoFailure("there is no key \(selector) of \(name)")
            }
            return try SigningKey(pem: pem, domain: domain, selector: selector)
        }
    }

    /// Where alice has her account.
    let home: Domain
    /// Where bob has his.
    let work: Domain
    /// A shop that alice gave `alice+shop@home.example`.
    let shop: Domain
    /// A trader who got hold of that address.
    let trader: Domain
    /// Somebody who writes in the shop's name.
    let forger: Domain

    init() throws {
        func domain(_ name: String, _ address: String, policy: String, _ kinds: [(String, SigningKey.Kind)]) throws -> Domain {
            Domain(name: name, address: address, policy: policy,
                   keys: try kinds.map { ($0.0, try SigningKey.generate($0.1)) })
        }
        home = try domain("home.example", "127.0.0.1", policy: "reject", [("rsa1", .rsa2048), ("ed1", .ed25519)])
        work = try domain("work.example", "127.0.0.5", policy: "reject", [("rsa1", .rsa2048), ("ed1", .ed25519)])
        shop = try domain("shop.example", "127.0.0.2", policy: "reject", [("s1", .rsa2048)])
        trader = try domain("trader.example", "127.0.0.3", policy: "none", [("s1", .ed25519)])
        forger = try domain("forger.example", "127.0.0.4", policy: "none", [])
    }

    /// The records, one `name TYPE data` a line.
    func zone() throws -> String {
        try [home, work, shop, trader, forger].flatMap { domain in
            let name = domain.name
            return [
                "\(name). 3600 IN A \(domain.address)", "\(name). 3600 IN MX 10 mail.\(name).", "mail.\(name). 3600 IN A \(domain.address)",
                "\(name). 3600 IN TXT \"v=spf1 ip4:\(domain.address) -all\"",
                "_dmarc.\(name). 3600 IN TXT \"v=DMARC1; p=\(domain.policy)\"",
            ] + (try domain.keys.map { "\($0.selector)._domainkey.\(name). 3600 IN TXT " + Self.quoted(try domain.key($0.selector).publicRecord) })
        }.joined(separator: "\n") + "\n"
    }

    /// A TXT value as strings of at most 255 octets (RFC 1035 §3.3).
    private static func quoted(_ text: String) -> String {
        var rest = text[...], parts: [String] = []
        while !rest.isEmpty {
            parts.append("\"" + rest.prefix(250) + "\"")
            rest = rest.dropFirst(250)
        }
        return parts.joined(separator: " ")
    }
}

struct DemoFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
