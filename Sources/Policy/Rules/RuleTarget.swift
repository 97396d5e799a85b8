import InternetMessage

/// An address that a rule sends mail to.
public struct RuleTarget: Sendable, Hashable {
    /// As rules spell it: `copy to`.
    public let action: String
    public let address: EmailAddress
    public let rule: String
    public let file: String
    public let line: Int
}

extension RuleSet {
    /// Where `redirect`, `copy` and `change recipient` lead, for whoever knows which addresses exist.
    public var targets: [RuleTarget] {
        PolicyStage.allCases.flatMap { rules[$0] ?? [] }.flatMap { rule in
            rule.actions.compactMap(\.target).map { RuleTarget(action: $0, address: $1, rule: rule.name, file: rule.file, line: rule.line) }
        }
    }
}

extension RuleAction {
    fileprivate var target: (String, EmailAddress)? {
        switch self {
        case .redirect(let address): ("redirect to", address)
        case .copy(let address): ("copy to", address)
        case .changeRecipient(let address): ("change recipient to", address)
        default: nil
        }
    }
}
