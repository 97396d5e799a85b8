/// One part of a message: where its octets lie and what its Content- fields say (RFC 2045, RFC 2046).
///
/// Only offsets into the message are kept, no content. The root part is the message itself.
public struct MIMEPart: Sendable, Hashable {
    /// The header with the empty line that ends it.
    public internal(set) var headerRange: Range<Int>
    /// The body, without the line end that belongs to the next boundary (RFC 2046 §5.1.1).
    public internal(set) var bodyRange: Range<Int>
    /// Line feeds in the body.
    public internal(set) var lineCount: Int
    public internal(set) var fields: ContentFields
    public internal(set) var content: Content

    public enum Content: Sendable, Hashable {
        /// Nothing inside that the structure shows.
        case leaf
        case multipart([MIMEPart])
        /// message/rfc822; one element, the enclosed message.
        case message([MIMEPart])
    }

    /// Header and body.
    public var range: Range<Int> { headerRange.lowerBound..<bodyRange.upperBound }
    /// Octets of the body as it stands, encoded.
    public var size: Int { bodyRange.count }

    public var children: [MIMEPart] {
        switch content {
        case .leaf: []
        case .multipart(let parts), .message(let parts): parts
        }
    }

    /// The enclosed message of a message/rfc822 part.
    public var enclosedMessage: MIMEPart? { if case .message(let parts) = content { parts.first } else { nil } }

    /// This part and all below it, outermost first.
    public func visit(_ body: (MIMEPart) throws -> Void) rethrows {
        try body(self)
        for child in children { try child.visit(body) }
    }
}

/// The Content- fields of a part (RFC 2045, RFC 1864, RFC 2183, RFC 2557, RFC 3282), with the defaults filled in.
public struct ContentFields: Sendable, Hashable {
    /// In lower case.
    public var type = "text"
    public var subtype = "plain"
    public var parameters = MIMEParameters()
    /// Whether the type was the default because there was no Content-Type that could be read (RFC 2045 §5.2).
    public var isTypeDefault = true
    /// The transfer encoding's name as written, in lower case; `7bit` when none is named.
    public var encodingName = "7bit"
    public var id: [UInt8]?
    public var description: [UInt8]?
    public var md5: [UInt8]?
    /// In lower case.
    public var disposition: String?
    public var dispositionParameters = MIMEParameters()
    public var languages: [String] = []
    public var location: [UInt8]?

    public init() {}

    public var encoding: MIMETransferEncoding { MIMETransferEncoding(encodingName) }
    public var isMultipart: Bool { type == "multipart" }
    public var isMessage: Bool { type == "message" && subtype == "rfc822" }
    public var isText: Bool { type == "text" }
    /// Of text parts.
    public var charset: String { parameters["charset"] ?? "us-ascii" }
    /// From the disposition, else from Content-Type's old `name`.
    public var fileName: String? { dispositionParameters["filename"] ?? parameters["name"] }
}

/// Finds the parts of a message.
public enum MIMEStructure {
    public struct Limits: Sendable {
        /// Parts nested deeper are leaves.
        public var depth = 100
        /// When so many were found, the rest of the message belongs to the last.
        public var parts = 10_000

        public init(depth: Int = 100, parts: Int = 10_000) {
            self.depth = depth
            self.parts = parts
        }
    }

    /// Parses a whole message. Never fails: whatever is malformed becomes a leaf. One pass, no copies of content.
    /// - Parameter message: header, empty line, body; lines end in CRLF, or LF alone. Offsets count from its first octet.
    public static func parse(_ message: UnsafeRawBufferPointer, limits: Limits = Limits()) -> MIMEPart {
        var parser = MIMEStructureParser(message, limits: limits)
        return parser.message()
    }

    public static func parse(_ message: [UInt8], limits: Limits = Limits()) -> MIMEPart {
        message.withUnsafeBytes { parse($0, limits: limits) }
    }
}
