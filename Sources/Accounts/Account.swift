import InternetMessage

/// Somebody who may log in and has a mailbox.
public struct Account: Sendable, Hashable {
    /// The log-in name, `alice@home.example`, in lower case.
    public let name: String
    /// What it receives and may send as; folded.
    public let addresses: [EmailAddress]

    public init(name: String, addresses: [EmailAddress]) {
        self.name = name.lowercased()
        self.addresses = addresses.map(\.folded)
    }

    public func owns(_ address: EmailAddress) -> Bool { addresses.contains(address.folded) }
}

/// An account as a list shows it.
public struct AccountSummary: Sendable, Hashable {
    public let account: Account
    /// From the passwd-file, which is only read.
    public let isFromFile: Bool
    /// Those that hold.
    public let appPasswords: Int
    /// Whether its own password logs in with SCRAM.
    public let canSCRAM: Bool
    /// nil where the settings' limit holds.
    public let limit: AccountLimit?
}

/// What can go wrong with accounts. No text ever holds a password.
public enum AccountError: Error, Hashable, CustomStringConvertible {
    case invalidName(String)
    case invalidPassword(String)
    case alreadyExists(String)
    case addressTaken(String, by: String)
    case noSuchAccount(String)
    case invalidDevice(String)
    case deviceTaken(String, of: String)
    case tooManyDevices(String)
    case noSuchDevice(String, of: String)
    /// The account is in the passwd-file, which is only read.
    case readOnly(String)
    case hashingFailed
    case database(String)

    public var description: String {
        switch self {
        case .invalidName(let name):
            "'\(name)' cannot be an account: use an e-mail address, or letters, digits, '.', '_' and '-', not beginning with a dot"
        case .invalidPassword(let reason): "the password cannot be used: \(reason)"
        case .alreadyExists(let name): "there is an account '\(name)' already"
        case .addressTaken(let address, let owner): "\(address) belongs to '\(owner)' already"
        case .noSuchAccount(let name): "there is no account '\(name)'"
        case .invalidDevice(let name): "'\(name)' cannot name an app password: use 1 to 64 octets of text, such as phone"
        case .deviceTaken(let name, let account): "\(account) has an app password '\(name)' already; revoke it, or give another --name"
        case .tooManyDevices(let account): "\(account) has \(AppPassword.limit) app passwords, and there are no more than that; revoke one"
        case .noSuchDevice(let name, let account): "\(account) has no app password '\(name)'; see: postern account app-password list \(account)"
        case .readOnly(let name): "'\(name)' is in the passwd_file, which is only read: change it there. Aliases of it go into virtual_aliases"
        case .hashingFailed: "the C library cannot hash with yescrypt; libcrypt 4.4 or later is needed"
        case .database(let text): "accounts database: \(text)"
        }
    }
}
