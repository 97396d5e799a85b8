import InternetMessage

/// What an address leads to when all aliases are followed.
public struct Expansion: Sendable, Hashable {
    public struct Target: Sendable, Hashable {
        public let address: EmailAddress
        /// It was written without a domain; ``address`` has the recipient's, or the origin.
        public let isName: Bool
        /// `owner-LIST` of the innermost list that has one: who hears of failures instead of the sender.
        public let owner: EmailAddress?

        public init(_ address: EmailAddress, isName: Bool = false, owner: EmailAddress? = nil) {
            self.address = address
            self.isName = isName
            self.owner = owner
        }
    }

    /// Without duplicates, in the order of the tables.
    public let targets: [Target]
    /// Whether any table had a line for the address; if none, it is its only target.
    public let isMapped: Bool
}

/// Why an address has no expansion: the tables are wrong.
public enum ExpansionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Only itself, round a circle.
    case loop(EmailAddress)
    /// Beyond `virtual_alias_recursion_limit`.
    case tooDeep(EmailAddress, limit: Int)
    /// Beyond `virtual_alias_expansion_limit`.
    case tooLarge(EmailAddress, limit: Int)

    public var description: String {
        switch self {
        case .loop(let address): "the aliases of \(address) lead in a circle and to nobody"
        case .tooDeep(let address, let limit): "the aliases of \(address) are nested more than \(limit) deep (virtual_alias_recursion_limit)"
        case .tooLarge(let address, let limit): "\(address) leads to more than \(limit) addresses (virtual_alias_expansion_limit)"
        }
    }
}
