import Accounts
import Aliases
import Foundation
import InternetMessage
import NetworkAddress
import SMTPServer
import Tags

/// Says whose an address is: an account's, perhaps with a tag; nobody's here; or another domain's. Aliases are
/// ``AddressBook/destinations(of:from:)``'s business.
struct AddressBook: RecipientDirectory {
    enum Owner {
        case account(Account, base: EmailAddress, detail: String?)
        case nobody
        case elsewhere
    }

    let domains: Set<DomainName>
    let hostname: DomainName
    let delimiters: String
    let postmaster: String
    /// The domain of names without one (`myorigin`).
    let origin: DomainName
    let accounts: AccountStore
    let tables: AddressTables?
    private let destinationDomains: [DomainName]

    /// - Parameter tables: the aliases; nil for none.
    init(_ settings: Settings, accounts: AccountStore, tables: AddressTables? = nil) {
        destinationDomains = settings[Known.mydestination]
        domains = Set(destinationDomains).union(tables?.virtualDomains ?? [])
        hostname = settings[Known.myhostname]
        delimiters = settings[Known.recipientDelimiter]
        postmaster = settings[Known.postmaster].lowercased()
        origin = settings.origin
        self.accounts = accounts
        self.tables = tables
    }

    func isLocal(_ address: EmailAddress) -> Bool {
        guard let domain = address.domainName else { return false }
        return domains.contains(domain)
    }

    /// Whose mailbox an address is, aliases aside. As Postfix looks it up: the whole address first, then without its extension.
    func owner(of address: EmailAddress) throws -> Owner {
        let role = isRole(address)
        guard isLocal(address) || (role && isHere(address)) else { return .elsewhere }
        if let account = try accounts.account(owning: address.folded) { return .account(account, base: address, detail: nil) }
        let (base, detail) = address.splittingDetail(delimiters: delimiters)
        if detail != nil, let account = try accounts.account(owning: base.folded) {
            return .account(account, base: base, detail: detail)
        }
        // RFC 5321 §4.5.1 and RFC 2142: postmaster and abuse reach somebody wherever mail is taken.
        if role, let account = try postmasterAccount() { return .account(account, base: address, detail: nil) }
        return .nobody
    }

    func standing(of address: EmailAddress, from sender: EmailAddress?) async -> RecipientStanding {
        do {
            let isRewritten = tables?.srs?.concerns(address) == true
            guard isLocal(address) || isRewritten || (isRole(address) && isHere(address)) else { return .relay }
            return try destinations(of: address, from: sender).isEmpty ? .unknown : .local
        } catch let error as ExpansionError {
            return .unavailable(error.description)
        } catch { return .unavailable("the account data cannot be read") }
    }

    func standing(of address: EmailAddress) async -> RecipientStanding { await standing(of: address, from: nil) }

    /// Whether somebody gets its mail though no account or alias has it: `postmaster` and `abuse` of each domain, and of this
    /// machine `root` and `mailer-daemon` too, whom cron and whoever answers a bounce write to.
    func isRole(_ address: EmailAddress) -> Bool {
        let name = address.localPart.lowercased()
        return ["postmaster", "abuse"].contains(name) || (["root", "mailer-daemon"].contains(name) && isHere(address))
    }

    /// Whether the domain is this machine's own, listed in `mydestination` or not.
    private func isHere(_ address: EmailAddress) -> Bool { address.domainName == hostname || address.domainName == origin }

    func postmasterAccount() throws -> Account? {
        if !postmaster.isEmpty { return try accounts.account(named: postmaster) }
        return try accounts.list().first
    }

    /// The account behind a name without a domain, which the tables may hold: that of the address, of the name itself, or
    /// the first in `mydestination`'s order.
    func owner(ofName address: EmailAddress) throws -> Owner {
        if case .account(let account, let base, let detail) = try owner(of: address) { return .account(account, base: base, detail: detail) }
        let name = address.splittingDetail(delimiters: delimiters)
        if let account = try accounts.account(named: name.base.localPart) { return .account(account, base: name.base, detail: name.detail) }
        for domain in destinationDomains {
            if case .account(let account, let base, let detail) = try owner(of: EmailAddress(localPart: address.localPart, domain: domain)) {
                return .account(account, base: base, detail: detail)
            }
        }
        return .nobody
    }

    /// Whom `catch_all` names for a domain.
    func catchAllAccount(of address: EmailAddress) throws -> Account? {
        guard let domain = address.domainName, domains.contains(domain), let name = tables?.catchAll[domain] else { return nil }
        if let account = try accounts.account(named: name) { return account }
        let written = EmailAddress(name) ?? EmailAddress(localPart: name, domain: domain)
        return try accounts.account(owning: written.folded)
    }
}
