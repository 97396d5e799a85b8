import Accounts
import Aliases
import Foundation
import InternetMessage
import NetworkAddress
import Policy

/// What `postern check` says of aliases, and of the addresses that rules send mail to.
enum AddressCheck {
    /// Reads the tables and, where there are accounts already, follows every entry. Blocks.
    /// - Throws: what the server would not start with.
    static func notes(_ settings: Settings, _ rules: RuleSet = .empty) throws -> [String] {
        let secrets = settings[Known.srs] ? try SRSSecrets.read(settings.srsSecretsPath) ?? [] : []
        let tables = try AddressTables(settings, srsSecrets: secrets)
        var notes = tables.remarks.map { "note: \($0)" }
        notes += foreign(tables, settings)
        guard FileManager.default.fileExists(atPath: settings[Known.dataDirectory].path + "/accounts.sqlite") else { return notes }
        let accounts = try LiveParts.accounts(at: settings[Known.dataDirectory].path + "/accounts.sqlite", settings)
        let book = AddressBook(settings, accounts: accounts, tables: tables)
        return try notes + dead(book, tables) + masked(tables, accounts) + RuleTargetCheck.remarks(rules, book).map { "note: \($0)" }
    }

    /// Domains that a table or `catch_all` speaks of and that are not ours: nobody outside may send there.
    private static func foreign(_ tables: AddressTables, _ settings: Settings) -> [String] {
        let ours = Set(settings[Known.mydestination]).union(tables.virtualDomains)
        let whole = tables.expander.virtual.wholeDomains.compactMap { if case .name(let name) = $0, !ours.contains(name) { name } else { nil } }
        return whole.sorted { $0.text < $1.text }.map { "note: virtual alias @\($0): the domain is neither in mydestination nor in virtual_alias_domains, so mail from outside is refused" }
            + tables.catchAll.keys.filter { !ours.contains($0) }.sorted { $0.text < $1.text }.map { "note: catch_all of \($0): the domain is neither in mydestination nor in virtual_alias_domains, so it has no effect" }
    }

    /// Entries that lead to nobody, in whole or in part.
    private static func dead(_ book: AddressBook, _ tables: AddressTables) throws -> [String] {
        var notes: [String] = []
        let origin = tables.expander.rules.origin
        let named = tables.expander.virtual.keys.filter { !$0.hasPrefix("@") && DomainName($0).map { tables.virtualDomains.contains($0) } != true }
        for key in named + tables.expander.aliases.names {
            let address = EmailAddress(key) ?? EmailAddress(localPart: key, domain: origin)
            do {
                let lost = try book.lostTargets(of: address)
                guard !lost.targets.isEmpty else { continue }
                let who = lost.targets.map { "\($0)" }.joined(separator: ", ")
                notes.append(lost.isAll ? "note: alias \(key): mail to it is refused, nobody here has \(who)" : "note: alias \(key): nobody here has \(who), which gets nothing")
            } catch let error as ExpansionError { notes.append("note: alias \(key): mail to it is put off: \(error)") }
        }
        for (domain, name) in tables.catchAll.sorted(by: { $0.key.text < $1.key.text }) where book.domains.contains(domain) {
            if try book.catchAllAccount(of: EmailAddress(localPart: "any", domain: domain)) == nil { notes.append("note: catch_all of \(domain): there is no account \"\(name)\"") }
        }
        return notes
    }

    /// Addresses of accounts that an `@domain` line takes away.
    private static func masked(_ tables: AddressTables, _ accounts: AccountStore) throws -> [String] {
        let addresses = try accounts.list().flatMap(\.addresses).filter { tables.expander.takesAll(of: $0.domain) && !tables.expander.names($0) }
        return Dictionary(grouping: addresses, by: \.domainText).sorted { $0.key < $1.key }.map { domain, taken in
            let some = taken.map(\.description).sorted().prefix(3).joined(separator: ", ")
            return "note: virtual alias @\(domain) takes the mail of accounts there too (\(some)): use catch_all, or give each address a line that names itself"
        }
    }
}
