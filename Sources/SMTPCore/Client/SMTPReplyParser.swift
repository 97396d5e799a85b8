import InternetMessage

/// Assembles a server's replies from octets as they come (RFC 5321 §4.2).
///
/// Lenient where servers differ: lines may end in LF alone, the text may be missing, and lines may be longer than the
/// 512 octets of §4.5.3.1.5; strict in what would let two sides disagree about where a reply ends.
public struct SMTPReplyParser: Sendable {
    public enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        case lineTooLong(limit: Int)
        case replyTooLong(limit: Int)
        case malformed(String)
        /// A multi-line reply whose lines bear different codes (§4.2.1 demands one).
        case inconsistentCodes(Int, Int)

        public var description: String {
            switch self {
            case .lineTooLong(let limit): "the server sent a reply line over \(limit) octets"
            case .replyTooLong(let limit): "the server sent a reply over \(limit) octets"
            case .malformed(let line): "the server sent no SMTP reply but \(line.debugDescription)"
            case .inconsistentCodes(let first, let other): "the server changed its reply code from \(first) to \(other) within a reply"
            }
        }
    }

    /// As Postfix's `line_length_limit`.
    public static let lineLimit = 2048
    public static let replyLimit = 65536

    private var line: [UInt8] = []
    private var code: Int?
    private var texts: [String] = []
    private var size = 0

    public init() {}

    /// Whether part of a reply has come and its end has not.
    public var isInsideReply: Bool { !line.isEmpty || code != nil }

    /// Takes the next octets.
    /// - Parameter replies: gets those that they complete, in order. What came before a failure counts: were the reply to
    ///   a message lost because rubbish follows it, the message would be sent again.
    /// - Throws: ``Failure``; the connection is then of no more use.
    public mutating func feed(_ bytes: some Sequence<UInt8>, into replies: inout [SMTPReply]) throws(Failure) {
        for byte in bytes {
            size += 1
            guard size <= Self.replyLimit else { throw .replyTooLong(limit: Self.replyLimit) }
            guard byte == 10 else {
                guard line.count < Self.lineLimit else { throw .lineTooLong(limit: Self.lineLimit) }
                line.append(byte)
                continue
            }
            if line.last == 13 { line.removeLast() }
            if let reply = try endLine() { replies.append(reply) }
        }
    }

    private mutating func endLine() throws(Failure) -> SMTPReply? {
        defer { line.removeAll(keepingCapacity: true) }
        guard let (lineCode, isLast) = Self.prefix(of: line) else {
            throw .malformed(String(decoding: line.prefix(80), as: UTF8.self))
        }
        guard code == nil || code == lineCode else { throw .inconsistentCodes(code ?? 0, lineCode) }
        code = lineCode
        texts.append(String(decoding: line.dropFirst(4), as: UTF8.self))
        guard isLast else { return nil }
        defer { (code, texts, size) = (nil, [], 0) }
        return Self.reply(lineCode, texts)
    }

    /// `Reply-code [ SP / "-" ]`: digits 2-5, 0-9, 0-9 (RFC 5321 §4.2; the second digit is left open for odd servers).
    private static func prefix(of line: [UInt8]) -> (code: Int, isLast: Bool)? {
        guard line.count >= 3, (50...53).contains(line[0]), (48...57).contains(line[1]), (48...57).contains(line[2]),
            line.count == 3 || line[3] == 32 || line[3] == 45 else { return nil }
        let code = line[..<3].reduce(0) { $0 * 10 + Int($1 - 48) }
        return (code, line.count == 3 || line[3] == 32)
    }

    /// Takes the enhanced status code off each line that repeats the first one's (RFC 2034 §4).
    private static func reply(_ code: Int, _ texts: [String]) -> SMTPReply {
        guard let enhanced = texts.first.flatMap({ enhancedCode($0, replyCode: code) }) else { return SMTPReply(code, lines: texts) }
        let lines = texts.map { text in
            enhancedCode(text, replyCode: code) == enhanced ? String(text.dropFirst(enhanced.count).drop { $0 == " " }) : text
        }
        return SMTPReply(code, enhanced, lines: lines)
    }

    /// `class.subject.detail` at the start (RFC 3463 §2), its class that of the reply code; nil when there is none.
    static func enhancedCode(_ text: String, replyCode: Int) -> String? {
        let word = text.prefix { $0 != " " }
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "\(replyCode / 100)", ["2", "4", "5"].contains(parts[0]),
            parts[1...].allSatisfy({ (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy { (48...57).contains($0) } }) else { return nil }
        return String(word)
    }
}
