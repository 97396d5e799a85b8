/// What became of one line of the old settings.
public struct ImportedParameter: Sendable, Hashable, Codable {
    public enum Fate: String, Sendable, Hashable, Codable, CaseIterable {
        /// It stands in the new settings or rules.
        case carried
        /// What it asks for holds here without a word.
        case isDefault = "default"
        /// There is nothing here that it could be about.
        case notNeeded = "not needed"
        /// It is known, and there is no counterpart here: something has to be decided.
        case notCarried = "not carried"
        case notUnderstood = "not understood"
    }

    /// The file that says it.
    public let file: String
    /// For a `-o` line the service in master.cf: `submission/inet`.
    public let service: String?
    /// The parameter, or one word of a list: `smtpd_client_restrictions: reject_rbl_client zen.spamhaus.org`.
    public let name: String
    public let value: String
    public let fate: Fate
    /// To what it was carried, or why it was not.
    public let text: String
}

/// What a treatment says of one line.
struct Outcome: Sendable, Hashable {
    let fate: ImportedParameter.Fate
    let text: String

    static func carried(_ text: String) -> Outcome { Outcome(fate: .carried, text: text) }
    static func isDefault(_ text: String) -> Outcome { Outcome(fate: .isDefault, text: text) }
    static func notNeeded(_ text: String) -> Outcome { Outcome(fate: .notNeeded, text: text) }
    static func notCarried(_ text: String) -> Outcome { Outcome(fate: .notCarried, text: text) }
    static func notUnderstood(_ text: String) -> Outcome { Outcome(fate: .notUnderstood, text: text) }
}
