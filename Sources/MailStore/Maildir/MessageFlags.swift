/// The flags Maildir keeps in a file name's info part (`:2,FRS`), with IMAP's meaning (RFC 3501 §2.3.2).
public struct MessageFlags: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let draft = MessageFlags(rawValue: 1)
    public static let flagged = MessageFlags(rawValue: 2)
    /// Resent or forwarded. IMAP shows it as `$Forwarded` in some servers; Dovecot keeps the letter and shows nothing.
    public static let passed = MessageFlags(rawValue: 4)
    public static let answered = MessageFlags(rawValue: 8)
    public static let seen = MessageFlags(rawValue: 16)
    /// `T`, trashed: IMAP's `\Deleted`.
    public static let deleted = MessageFlags(rawValue: 32)

    /// No flag for a letter that is none.
    init(letter: UInt8) { self = Self.letters.first { $0.letter == letter }?.flag ?? [] }

    static let letters: [(letter: UInt8, flag: MessageFlags)] = [
        (68, .draft), (70, .flagged), (80, .passed), (82, .answered), (83, .seen), (84, .deleted),
    ]
}
