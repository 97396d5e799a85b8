// Example: DNS
import DNS
import NetworkAddress

/// Where a domain's mail goes. Any `Resolver` will do: a zone of literals in tests, a real one in service.
func mailServers(of domain: String, asking dns: any Resolver) async -> [String] {
    guard let name = DomainName(domain) else { return [] }
    let answer = await dns.lookup(MXRecord.self, at: name)
    // No such name, no data and "ask again later" are told apart.
    if let why = answer.failure { return ["ask again: \(why)"] }
    return answer.records.sorted { $0.preference < $1.preference }.map(\.exchange.text)
}

let zone = """
    example.org. 3600 IN MX 20 backup.example.org.
    example.org. 3600 IN MX 10 mail.example.org.
    """
// await mailServers(of: "example.org", asking: try ZoneResolver(zone)) is ["mail.example.org", "backup.example.org"]
