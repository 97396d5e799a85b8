/// One thing that is wrong in a Maildir, in plain words.
public struct StoreFinding: Sendable, Hashable, Encodable {
    public enum Kind: String, Sendable, Hashable, Encodable {
        /// A Maildir folder that lacks one of its parts, or whose name is none.
        case folder
        /// `dovecot-uidlist`.
        case uidList = "uid_list"
        /// `dovecot-keywords`, and letters that it does not name.
        case keywords
        case subscriptions
        /// What is no message, or two files of one name.
        case file
        /// The log of mod-sequences.
        case modSequences = "mod_sequences"
        /// The index beside the Maildir.
        case index
        /// Left behind by a program that ended in the middle; harmless.
        case unfinished
    }

    public enum State: String, Sendable, Hashable, Encodable {
        /// Can be repaired, and was not asked to.
        case repairable
        case repaired
        /// Needs a person.
        case left
    }

    public let account: String
    /// As a client names it.
    public let folder: String
    public let kind: Kind
    public let text: String
    public internal(set) var state: State

    /// Whether somebody should do something about it.
    public var isWrong: Bool { state != .repaired && kind != .unfinished }
}
