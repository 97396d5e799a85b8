import InternetMessage
import NetworkAddress
import SASL

/// All accounts at one moment, ready for look-ups.
struct AccountDirectory: Sendable {
    let accounts: [Account]
    let domains: Set<DomainName>
    typealias Entry = (account: Account, hash: String, scram: SCRAMKeys?)
    private let byName: [String: Entry]
    private let byAddress: [EmailAddress: Account]

    init(_ rows: [AccountDatabase.Row] = []) {
        var byName: [String: Entry] = [:], byAddress: [EmailAddress: Account] = [:]
        accounts = rows.map { Account(name: $0.name, addresses: $0.addresses.compactMap { EmailAddress($0) }) }
        for (row, account) in zip(rows, accounts) {
            byName[row.name] = (account, row.passwordHash, row.scram.flatMap { SCRAMKeys($0) })
            for address in account.addresses { byAddress[address] = account }
        }
        self.byName = byName
        self.byAddress = byAddress
        domains = Set(byAddress.keys.compactMap(\.domainName))
    }

    func entry(named name: String) -> Entry? { byName[name.lowercased()] }
    func account(owning address: EmailAddress) -> Account? { byAddress[address.folded] }
}
