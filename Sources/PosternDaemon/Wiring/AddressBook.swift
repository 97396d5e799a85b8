import Accounts
import InternetMessage
import NetworkAddress
import SMTPServer
import Tags

/// Says whose an address is: an account's, perhaps with a tag; nobody's here; or another domain's.
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
    let accounts: AccountStore

    init(_ settings: Settings, accounts: AccountStore) {
        domains = Set(settings[Known.mydestination])
        hostname = settings[Known.myhostname]
        delimiters = settings[Known.recipientDelimiter]
        postmaster = settings[Known.postmaster].lowercased()
        self.accounts = accounts
    }

    func isLocal(_ address: EmailAddress) -> Bool {
        guard let domain = address.domainName else { return false }
        return domains.contains(domain)
    }

    /// As Postfix looks it up: the whole address first, then without its extension.
    func owner(of address: EmailAddress) throws -> Owner {
        let role = ["postmaster", "abuse"].contains(address.localPart.lowercased())
        guard isLocal(address) || (role && address.domainName == hostname) else { return .elsewhere }
        if let account = try accounts.account(owning: address.folded) { return .account(account, base: address, detail: nil) }
        let (base, detail) = address.splittingDetail(delimiters: delimiters)
        if detail != nil, let account = try accounts.account(owning: base.folded) {
            return .account(account, base: base, detail: detail)
        }
        // RFC 5321 §4.5.1 and RFC 2142: postmaster and abuse reach somebody wherever mail is taken.
        if role, let account = try postmasterAccount() { return .account(account, base: address, detail: nil) }
        return .nobody
    }

    func standing(of address: EmailAddress) async -> RecipientStanding {
        do {
            switch try owner(of: address) {
            case .account: return .local
            case .nobody: return .unknown
            case .elsewhere: return .relay
            }
        } catch { return .unavailable("the account data cannot be read") }
    }

    /// The tag in an address of ours, or nil. Delimiter and case are folded away, so that `Alice-Shop@` and
    /// `alice+shop@` are one tag when both delimiters are configured.
    func tag(in address: EmailAddress) -> TagAddress? {
        guard case .account(_, let base, let detail?) = try? owner(of: address), !detail.isEmpty else { return nil }
        return TagAddress(base: base.folded, detail: detail.lowercased())
    }

    /// Whether an account may write as an address; a log-in name that is not one of our accounts (Postfix's own users,
    /// when we are its milter) is Postfix's to judge.
    func mayWrite(_ account: String, as address: EmailAddress) -> Bool {
        let known: Account
        do {
            guard let found = try accounts.account(named: account) else { return true }
            known = found
        } catch { return false }
        if known.addresses.contains(where: { $0.folded == address.folded }) { return true }
        let base = address.splittingDetail(delimiters: delimiters).base.folded
        return known.addresses.contains { $0.folded == base }
    }

    private func postmasterAccount() throws -> Account? {
        if !postmaster.isEmpty { return try accounts.account(named: postmaster) }
        return try accounts.list().first
    }
}
