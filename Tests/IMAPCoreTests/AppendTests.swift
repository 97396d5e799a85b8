import IMAPCore
import Testing

/// MULTIAPPEND, CATENATE, REPLACE and UTF8, as the framer cuts them.
@Suite struct AppendTests {
    private let framing = CommandFramerTests()

    /// The steps, each in a word; drip-fed they are the same.
    private func steps(_ text: String) -> [String] {
        let whole = framing.run(text, by: text.utf8.count)
        #expect(framing.run(text, by: 1) == whole)
        return whole.map { event in
            switch event {
            case .append(.begins(let header)): "begins \(header.mailbox)\(header.replaces.map { " \($0.number) \($0.numbering)" } ?? "")"
            case .append(.message(let message)): "message\(message.isCatenated ? " catenated" : "")\(message.isUTF8 ? " utf8" : "")\(message.flags.map { " \($0)" }.joined())"
            case .append(.literal(let literal)): "literal \(literal.size)\(literal.isBinary ? " binary" : "")"
            case .append(.chunk(let bytes)): String(decoding: bytes, as: UTF8.self)
            case .append(.url(let url)): "url \(url)"
            case .append(.messageEnds): "messageEnds"
            case .append(.ends): "ends"
            case .failed(let error): "failed \(error.tag ?? "-")"
            case .needContinuation: "continue"
            case .command: "command"
            default: "other"
            }
        }
    }

    /// RFC 3502's example, shortened.
    @Test func several() {
        #expect(steps("A003 APPEND saved (\\Seen) {3}\r\nabc (\\Draft) \" 7-Feb-1994 22:43:04 -0800\" {2+}\r\nde\r\nb NOOP\r\n")
            == ["begins saved", "message \\Seen", "literal 3", "abc", "messageEnds", "message \\Draft", "literal 2", "de", "messageEnds", "ends", "command"])
    }

    /// RFC 4469 §5.
    @Test func catenated() {
        #expect(steps("A CATENATE x\r\n") == ["command"])
        #expect(steps("A APPEND Drafts (\\Seen) CATENATE (URL \"/Drafts;UID=20/;section=HEADER\" TEXT {4}\r\n\r\nab URL {5+}\r\n/a;UI TEXT {1+}\r\nz)\r\nb NOOP\r\n")
            == ["begins Drafts", "message catenated \\Seen", "url /Drafts;UID=20/;section=HEADER", "literal 4", "\r\nab", "url /a;UI", "literal 1", "z", "messageEnds", "ends", "command"])
        #expect(steps("A APPEND Drafts CATENATE (URL \"/a;UID=1\")\r\n") == ["begins Drafts", "message catenated", "url /a;UID=1", "messageEnds", "ends"])
        #expect(steps("A APPEND Drafts CATENATE ()\r\nb NOOP\r\n") == ["failed A", "command"])
    }

    /// RFC 6855 §4, RFC 3516 §4.4, RFC 8508 §3.
    @Test func others() {
        #expect(steps("A APPEND x UTF8 (~{2+}\r\nab)\r\n") == ["begins x", "message utf8", "literal 2 binary", "ab", "messageEnds", "ends"])
        #expect(steps("A UID REPLACE 7 x ~{2}\r\nab\r\n") == ["begins x 7 uid", "message", "literal 2 binary", "ab", "messageEnds", "ends"])
        #expect(steps("A REPLACE 7 x {2+}\r\nab {1+}\r\nc\r\nb NOOP\r\n") == ["begins x 7 sequence", "message", "literal 2", "ab", "failed A", "command"])
        #expect(steps("A REPLACE 1:2 x {2+}\r\nab\r\nb NOOP\r\n") == ["failed A", "command"])
        #expect(steps("A APPEND x\r\nb NOOP\r\n") == ["failed A", "command"])
    }

    @Test func urls() throws {
        let url = try #require(MessageURL("/Drafts;UIDVALIDITY=385759045/;UID=20/;section=1.2.MIME/;PARTIAL=5.10"))
        #expect(url.mailbox?.text == "Drafts" && url.uidValidity == 385_759_045 && url.uid == 20)
        #expect(url.section == BodySection(part: [1, 2], .mime) && url.partial == Partial(origin: 5, count: 10))
        #expect(MessageURL("/a%2Fb;UID=1")?.mailbox?.text == "a/b" && MessageURL(";UID=3")?.mailbox == nil && MessageURL(";UID=3") != nil)
        #expect(MessageURL("/INBOX/;UID=2/;SECTION=HEADER.FIELDS%20(TO)")?.section == BodySection(.headerFields(["TO"])))
        for text in ["imap://host/a;UID=1", "/a", "/a;UID=0", "/a;UID=1/x", "/a;UID=1/;SECTION=MIME", "/%zz;UID=1", "/a;b;UID=1", ""] { #expect(MessageURL(text) == nil) }
    }
}
