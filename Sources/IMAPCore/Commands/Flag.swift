/// A message flag (RFC 3501 §2.3.2): a system flag with its backslash, or a keyword. Case does not count in
/// comparisons; a keyword keeps the case it was given.
public struct Flag: Sendable, Hashable, CustomStringConvertible {
    public let text: String

    init(unchecked text: String) { self.text = text }

    /// `\Seen`, `$Forwarded`, `work`; nil unless the text is an atom, or a backslash and an atom.
    public init?(_ text: String) {
        let body = text.hasPrefix("\\") ? text.dropFirst() : text[...]
        guard !body.isEmpty, body.utf8.allSatisfy(Grammar.isAtom) else { return nil }
        self.text = Self.system.first { ASCII.equal($0.text, text) }?.text ?? text
    }

    public static let seen = Flag(unchecked: "\\Seen")
    public static let answered = Flag(unchecked: "\\Answered")
    public static let flagged = Flag(unchecked: "\\Flagged")
    public static let deleted = Flag(unchecked: "\\Deleted")
    public static let draft = Flag(unchecked: "\\Draft")
    /// Only the server sets it; a client that stores it gets BAD.
    public static let recent = Flag(unchecked: "\\Recent")

    /// The flags a client may store, in the order of RFC 3501 §2.3.2; `\Recent` is not among them.
    public static let storable: [Flag] = [.answered, .flagged, .deleted, .seen, .draft]
    private static let system = storable + [recent]

    public var isSystem: Bool { text.hasPrefix("\\") }
    public var description: String { text }

    public static func == (a: Flag, b: Flag) -> Bool { ASCII.equal(a.text, b.text) }
    public func hash(into hasher: inout Hasher) { for byte in text.utf8 { hasher.combine(ASCII.lower(byte)) } }

    /// `flag`, in what a client sends: `\Recent` and unknown system flags are refused.
    static func parse(_ scanner: inout Scanner) throws(ScanError) -> Flag {
        let slash = scanner.take(92)
        let word = try scanner.atom("a flag")
        guard slash else { return Flag(unchecked: word) }
        guard let flag = storable.first(where: { ASCII.equal($0.text.dropFirst(), word) }) else {
            throw ScanError("the flag \\\(word) cannot be stored")
        }
        return flag
    }
}
