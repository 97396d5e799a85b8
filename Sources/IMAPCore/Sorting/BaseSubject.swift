import InternetMessage

/// A subject without what replies and mailing lists put around it (RFC 5256 §2.1).
public struct BaseSubject: Sendable, Hashable {
    public let text: String
    /// Whether `Re:`, `Fwd:`, `(fwd)` or `[Fwd: ]` was taken away.
    public let isReplyOrForward: Bool

    /// - Parameter field: the value of the Subject field, as it stands in the message.
    public init(field: some Collection<UInt8>) { self.init(EncodedWords.decode(field)) }

    /// - Parameter subject: RFC 2047 decoded already.
    public init(_ subject: String) {
        var rest = Self.spaced(subject)[...]
        var isReply = false
        // (6) may begin again at (2).
        repeat {
            Self.dropTrailers(&rest, &isReply)
            while Self.dropLeader(&rest, &isReply) || Self.dropBlob(&rest) {}
        } while Self.unwrapForward(&rest, &isReply)
        text = String(decoding: rest, as: UTF8.self)
        isReplyOrForward = isReply
    }

    /// (1) Tabs and line ends become blanks, runs of blanks one.
    private static func spaced(_ subject: String) -> [UInt8] {
        var out: [UInt8] = []
        for byte in subject.utf8 {
            let plain = byte == 9 || byte == 10 || byte == 13 ? 32 : byte
            if plain != 32 || out.last != 32 { out.append(plain) }
        }
        return out
    }

    /// (2) `subj-trailer = "(fwd)" / WSP`
    private static func dropTrailers(_ rest: inout ArraySlice<UInt8>, _ isReply: inout Bool) {
        while true {
            if rest.last == 32 { rest.removeLast() } else if hasSuffix(rest, "(fwd)") {
                rest.removeLast(5)
                isReply = true
            } else { return }
        }
    }

    /// (3) `subj-leader = (*subj-blob subj-refwd) / WSP`
    private static func dropLeader(_ rest: inout ArraySlice<UInt8>, _ isReply: inout Bool) -> Bool {
        if rest.first == 32 {
            rest.removeFirst()
            return true
        }
        var cursor = rest
        while let behind = blob(cursor) { cursor = behind }
        guard let behind = replyMark(cursor) else { return false }
        rest = behind
        isReply = true
        return true
    }

    /// `subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"`
    private static func replyMark(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let word = ["re", "fwd", "fw"].first(where: { hasPrefix(text, $0) }) else { return nil }
        var rest = text.dropFirst(word.utf8.count).drop { $0 == 32 }
        if let behind = blob(rest) { rest = behind }
        return rest.first == 58 ? rest.dropFirst() : nil
    }

    /// (4) A blob in front goes unless nothing would be left.
    private static func dropBlob(_ rest: inout ArraySlice<UInt8>) -> Bool {
        guard let behind = blob(rest), !behind.isEmpty else { return false }
        rest = behind
        return true
    }

    /// `subj-blob = "[" *BLOBCHAR "]" *WSP`; what is behind it.
    private static func blob(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard text.first == 91, let end = text.dropFirst().firstIndex(where: { $0 == 91 || $0 == 93 }), text[end] == 93 else { return nil }
        return text[(end + 1)...].drop { $0 == 32 }
    }

    /// (6) `[fwd:` … `]`
    private static func unwrapForward(_ rest: inout ArraySlice<UInt8>, _ isReply: inout Bool) -> Bool {
        guard hasPrefix(rest, "[fwd:"), rest.last == 93 else { return false }
        rest = rest.dropFirst(5).dropLast()
        isReply = true
        return true
    }

    private static func hasPrefix(_ text: ArraySlice<UInt8>, _ word: String) -> Bool {
        text.count >= word.utf8.count && zip(text, word.utf8).allSatisfy { ASCII.lower($0) == $1 }
    }

    private static func hasSuffix(_ text: ArraySlice<UInt8>, _ word: String) -> Bool { hasPrefix(text.suffix(word.utf8.count), word) }
}
