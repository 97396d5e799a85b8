/// What a FETCH asks for (RFC 3501 §6.4.5; BINARY from RFC 3516).
public enum FetchAttribute: Sendable, Hashable {
    case envelope, flags, internalDate, uid
    /// RFC 7162 §3.1.4.2.
    case modSequence
    /// RFC 8970; LAZY leaves it to the server whether it is worth the work.
    case preview(lazy: Bool)
    /// RFC 8514.
    case saveDate
    /// RFC 8474 §5.
    case emailID, threadID
    /// `BODY` without a section: the structure without extension data.
    case body
    case bodyStructure
    /// RFC822.SIZE
    case size
    /// RFC822, RFC822.HEADER, RFC822.TEXT: as `BODY[]`, `BODY.PEEK[HEADER]`, `BODY[TEXT]`, answered under their old names.
    case rfc822, rfc822Header, rfc822Text
    case section(BodySection, partial: Partial?, peek: Bool)
    case binary(part: [Int], partial: Partial?, peek: Bool)
    case binarySize(part: [Int])
    /// BINARY and BINARY.SIZE of a header or text, which RFC 3516 has no grammar for and Dovecot answers: what is not
    /// encoded needs no decoding, so it is as `BODY[...]`.
    case binaryText(BodySection, partial: Partial?, peek: Bool), binaryTextSize(BodySection)

    /// Whether answering it sets `\Seen`.
    public var setsSeen: Bool {
        switch self {
        case .rfc822, .rfc822Text: true
        case .section(_, _, let peek), .binary(_, _, let peek), .binaryText(_, _, let peek): !peek
        default: false
        }
    }

    public static let all: [FetchAttribute] = [.flags, .internalDate, .size, .envelope]
    public static let fast: [FetchAttribute] = [.flags, .internalDate, .size]
    public static let full: [FetchAttribute] = [.flags, .internalDate, .size, .envelope, .body]
}

/// `<origin.count>`: a run of octets; past the end it is empty or shorter.
public struct Partial: Sendable, Hashable {
    public let origin: Int
    public let count: Int

    public init(origin: Int, count: Int = .max) {
        self.origin = origin
        self.count = count
    }
}

/// `section` (RFC 3501 §6.4.5): which octets of a message `BODY[...]` means.
public struct BodySection: Sendable, Hashable {
    public enum Specifier: Sendable, Hashable {
        /// Nothing: the whole message (`BODY[]`), or a part's body.
        case whole
        case header, text
        case headerFields([String])
        case headerFieldsNot([String])
        /// The MIME header of a part; needs a part number.
        case mime
    }

    /// Part numbers, each from 1; empty for the message itself.
    public let part: [Int]
    public let specifier: Specifier

    public init(part: [Int] = [], _ specifier: Specifier = .whole) {
        self.part = part
        self.specifier = specifier
    }
}
