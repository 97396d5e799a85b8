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

/// What can go wrong with accounts. No text ever holds a password.
public enum AccountError: Error, Hashable, CustomStringConvertible {
    case invalidName(String)
    case invalidPassword(String)
    case alreadyExists(String)
    case addressTaken(String, by: String)
    case noSuchAccount(String)
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
        case .hashingFailed: "the C library cannot hash with yescrypt; libcrypt 4.4 or later is needed"
        case .database(let text): "accounts database: \(text)"
        }
    }
}
