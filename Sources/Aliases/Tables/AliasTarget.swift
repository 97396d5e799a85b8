import InternetMessage

/// Where an alias leads: one item of a right-hand side.
public enum AliasTarget: Sendable, Hashable {
    /// `user@domain`.
    case address(EmailAddress)
    /// `user`: a name here, which may be an alias again.
    case name(String)
    /// `\user`: a name here that no alias is looked up for.
    case final(String)
    /// `@domain`, in virtual tables: the same local part in another domain.
    case domain(EmailAddress.Domain)
    /// `:include:/file`, in alias tables: read when the table is.
    case include(String)
}
