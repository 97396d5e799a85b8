import InternetMessage
import NetworkAddress
import SASL

/// All accounts at one moment, ready for look-ups.
struct AccountDirectory: Sendable {
    /// One account, and what it logs in with.
    struct Entry: Sendable {
        let account: Account
        let secret: PasswordScheme
        let scram: SCRAMKeys?
        let limit: AccountLimit?
        let isFromFile: Bool
        /// Whence a log-in may come; nil: from anywhere.
        let networks: [IPNetwork]?
        /// Revoked ones too.
        let appPasswords: [AppPasswordEntry]

        func admits(_ client: IPAddress?) -> Bool {
            guard let networks else { return true }
            return client.map { address in networks.contains { $0.contains(address) } } ?? false
        }

        /// What SCRAM is challenged with: all of the account's keys that share a salt.
        func challenge(_ first: SCRAMKeys?) -> SCRAMKeys? {
            let keys = appPasswords.compactMap { $0.facts.revoked == nil ? $0.scram : nil }
            guard var common = first ?? scram ?? keys.first else { return nil }
            common.others = keys.filter { $0.salt == common.salt && $0.iterations == common.iterations && $0.storedKey != common.storedKey }.map(\.pair)
            return common
        }

        var canSCRAM: Bool {
            switch secret {
            case .plain, .locked: true
            case .crypt, .digest, .scram: scram != nil
            }
        }
    }

    struct AppPasswordEntry: Sendable {
        let facts: AppPassword
        let hash: String
        let scram: SCRAMKeys?
    }

    let accounts: [Account]
    let domains: Set<DomainName>
    let appPasswordIDs: Set<String>
    /// What of the passwd-file cannot hold beside the database.
    let faults: [PasswdFileFault]
    /// Whether every account has keys, made already or to be made of a password that is kept in clear. An account from
    /// before SCRAM gets them at its next log-in.
    let everybodyHasSCRAM: Bool
    private let byName: [String: Entry]
    private let byAddress: [EmailAddress: Account]

    /// - Parameter fileDomains: what a name without `@` of the passwd-file gets as addresses: itself in each of these.
    init(_ rows: [AccountDatabase.Row] = [], appPasswords: [AccountDatabase.AppPasswordRow] = [], file: String = "", lines: [PasswdFile.Line] = [],
         fileDomains: [DomainName] = []) {
        let devices = Dictionary(grouping: appPasswords.map { AppPasswordEntry(facts: $0.facts, hash: $0.hash, scram: $0.scram.flatMap { SCRAMKeys($0) }) }, by: \.facts.account)
        appPasswordIDs = Set(appPasswords.map(\.facts.id))
        var entries = rows.map { Self.entry($0, devices[$0.name] ?? []) }
        let names = Set(rows.map(\.name))
        var faults: [PasswdFileFault] = []
        for line in lines {
            guard !names.contains(line.name) else {
                faults.append(PasswdFileFault(file: file, line: line.number, text: "there is an account \(line.name) already, which holds"))
                continue
            }
            entries.append(Self.entry(line, devices[line.name] ?? [], fileDomains))
        }
        self.faults = faults
        byName = Dictionary(entries.map { ($0.account.name, $0) }, uniquingKeysWith: { first, _ in first })
        byAddress = Dictionary(entries.flatMap { entry in entry.account.addresses.map { ($0, entry.account) } }, uniquingKeysWith: { first, _ in first })
        accounts = entries.map(\.account).sorted { $0.name < $1.name }
        domains = Set(byAddress.keys.compactMap(\.domainName))
        everybodyHasSCRAM = entries.allSatisfy(\.canSCRAM)
    }

    private static func entry(_ row: AccountDatabase.Row, _ devices: [AppPasswordEntry]) -> Entry {
        Entry(account: Account(name: row.name, addresses: row.addresses.compactMap { EmailAddress($0) }), secret: .crypt(row.passwordHash),
              scram: row.scram.flatMap { SCRAMKeys($0) }, limit: row.limit, isFromFile: false, networks: nil, appPasswords: devices)
    }

    private static func entry(_ line: PasswdFile.Line, _ devices: [AppPasswordEntry], _ domains: [DomainName]) -> Entry {
        let addresses = line.name.contains("@") ? [EmailAddress(line.name)].compactMap { $0 } : domains.map { EmailAddress(localPart: line.name, domain: $0) }
        let keys: SCRAMKeys? = if case .scram(let keys) = line.secret { keys } else { nil }
        return Entry(account: Account(name: line.name, addresses: addresses), secret: line.secret, scram: keys, limit: nil, isFromFile: true,
                     networks: line.networks, appPasswords: devices)
    }

    var summaries: [AccountSummary] {
        byName.values.sorted { $0.account.name < $1.account.name }.map { entry in
            AccountSummary(account: entry.account, isFromFile: entry.isFromFile, appPasswords: entry.appPasswords.count { $0.facts.revoked == nil },
                           canSCRAM: entry.canSCRAM, limit: entry.limit)
        }
    }

    func entry(named name: String) -> Entry? { byName[name.lowercased()] }
    func account(owning address: EmailAddress) -> Account? { byAddress[address.folded] }
}
