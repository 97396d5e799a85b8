import InternetMessage
import Testing

@Suite struct MIMEStructureTests {
    static func crlf(_ text: String) -> [UInt8] { LineEnds.toCRLF(Array(text.utf8)) }

    func body(_ part: MIMEPart, _ message: [UInt8]) -> String { String(decoding: message[part.bodyRange], as: UTF8.self) }

    /// Every part's ranges lie in its parent's body and the children do not overlap.
    func checkNesting(_ part: MIMEPart) {
        var last = part.bodyRange.lowerBound
        for child in part.children {
            #expect(child.range.lowerBound >= last && child.range.upperBound <= part.bodyRange.upperBound)
            last = child.range.upperBound
            checkNesting(child)
        }
    }

    @Test func plainMessage() {
        let message = Self.crlf("Subject: x\n\nline 1\nline 2\n")
        let part = MIMEStructure.parse(message)
        #expect(part.fields.type == "text" && part.fields.subtype == "plain" && part.fields.isTypeDefault)
        #expect(part.headerRange == 0..<14)
        #expect(body(part, message) == "line 1\r\nline 2\r\n")
        #expect(part.lineCount == 2)
        #expect(part.size == 16)
    }

    /// RFC 2046 §5.1.1's example: preamble, one part without header, one with, epilogue.
    @Test func rfc2046Example() {
        let message = Self.crlf("""
            From: Nathaniel Borenstein <nsb@bellcore.com>
            MIME-Version: 1.0
            Content-type: multipart/mixed; boundary="simple boundary"

            This is the preamble.  It is to be ignored.

            --simple boundary

            This is implicitly typed plain US-ASCII text.
            It does NOT end with a linebreak.
            --simple boundary
            Content-type: text/plain; charset=us-ascii

            This is explicitly typed plain US-ASCII text.
            It DOES end with a linebreak.

            --simple boundary--

            This is the epilogue.  It is also to be ignored.

            """)
        let root = MIMEStructure.parse(message)
        #expect(root.children.count == 2)
        #expect(body(root.children[0], message) == "This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.")
        #expect(body(root.children[1], message) == "This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n")
        #expect(root.children[0].fields.isTypeDefault && !root.children[1].fields.isTypeDefault)
        #expect(root.bodyRange.upperBound == message.count)
        checkNesting(root)
    }

    /// RFC 2046 §5.1.2: an outer delimiter ends an inner multipart that was never closed.
    @Test func outerBoundaryEndsInnerParts() {
        let message = Self.crlf("""
            Content-Type: multipart/mixed; boundary=outer

            --outer
            Content-Type: multipart/alternative; boundary=inner

            --inner

            a
            --inner
            Content-Type: text/html

            b
            --outer

            c
            --outer--
            """)
        let root = MIMEStructure.parse(message)
        #expect(root.children.count == 2)
        #expect(root.children[0].children.map { body($0, message) } == ["a", "b"])
        #expect(body(root.children[1], message) == "c")
        checkNesting(root)
    }

    @Test func boundaryThatIsPrefixOfAnother() {
        let message = Self.crlf("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\nx\n--bb--\n--b\n\ny\n--b--\n")
        let root = MIMEStructure.parse(message)
        #expect(root.children.map(\.children.count) == [1, 0])
        #expect(body(root.children[1], message) == "y")
    }

    @Test func enclosedMessage() {
        let message = Self.crlf("""
            Content-Type: multipart/mixed; boundary=x

            --x
            Content-Type: message/rfc822

            Subject: inner
            Content-Type: text/html

            <p>
            --x--
            """)
        let root = MIMEStructure.parse(message)
        let inner = root.children[0].enclosedMessage
        #expect(inner?.fields.subtype == "html")
        #expect(inner.map { body($0, message) } == "<p>")
        #expect(root.children[0].lineCount == 3)
        checkNesting(root)
    }

    /// RFC 2046 §5.1.5.
    @Test func digestPartsAreMessages() {
        let message = Self.crlf("Content-Type: multipart/digest; boundary=x\n\n--x\n\nSubject: one\n\nbody\n--x--\n")
        #expect(MIMEStructure.parse(message).children[0].enclosedMessage.map { body($0, message) } == "body")
    }

    @Test func emptyPartsAndPadding() {
        let message = Self.crlf("Content-Type: multipart/mixed; boundary=x\n\n--x  \n\n--x\nContent-ID: <a>\n--x\t\n--x--  \nrest")
        let root = MIMEStructure.parse(message)
        #expect(root.children.count == 3)
        #expect(root.children.allSatisfy { $0.size == 0 && $0.lineCount == 0 })
        #expect(root.children[1].fields.id == Array("<a>".utf8))
        checkNesting(root)
    }

    @Test func allContentFields() {
        let message = Self.crlf("""
            Content-Type: IMAGE/Jpeg (a comment); name = "a;b.jpg" ; x=y
            Content-Transfer-Encoding: BASE64
            Content-ID:  <id@x>
            Content-Description: some
             thing
            Content-MD5: Q2hlY2s=
            Content-Disposition: ATTACHMENT; filename*0*=utf-8'en'%e2%82%ac; filename*1=" rates"; filename*2*=%2e
            Content-Language: en, de-AT (Austria)
            Content-Location: http://x/
             y

            AAAA
            """)
        let fields = MIMEStructure.parse(message).fields
        #expect(fields.type == "image" && fields.subtype == "jpeg")
        #expect(fields.parameters["NAME"] == "a;b.jpg" && fields.parameters["x"] == "y")
        #expect(fields.encoding == .base64)
        #expect(fields.id == Array("<id@x>".utf8))
        #expect(fields.description == Array("some thing".utf8))
        #expect(fields.md5 == Array("Q2hlY2s=".utf8))
        #expect(fields.disposition == "attachment")
        #expect(fields.fileName == "\u{20ac} rates.")
        #expect(fields.languages == ["en", "de-AT"])
        #expect(fields.location == Array("http://x/y".utf8))
    }

    /// RFC 2231 §3 and §4's examples.
    @Test func rfc2231Examples() {
        let message = Self.crlf("""
            Content-Type: application/x-stuff;
             title*0*=us-ascii'en'This%20is%20even%20more%20;
             title*1*=%2A%2A%2Afun%2A%2A%2A%20;
             title*2="isn't it!";
             URL*0="ftp://";
             URL*1="cs.utk.edu/pub"

            """)
        let parameters = MIMEStructure.parse(message).fields.parameters
        #expect(parameters["title"] == "This is even more ***fun*** isn't it!")
        #expect(parameters["url"] == "ftp://cs.utk.edu/pub")
        #expect(parameters["none"] == nil)
    }

    @Test(arguments: ["Content-Type: nonsense\n\nx", "Content-Type: multipart/mixed\n\n--\nx", "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx", "", "\n", "Subject", "no header\n\nx", ": x\n"])
    func malformedBecomesALeaf(_ text: String) {
        let message = Self.crlf(text)
        let part = MIMEStructure.parse(message)
        #expect(part.content == .leaf)
        #expect(part.range == 0..<message.count)
    }

    @Test func depthIsBounded() {
        var text = ""
        for level in 0..<300 { text += "Content-Type: multipart/mixed; boundary=b\(level)\n\n--b\(level)\n" }
        text += "\nx"
        var part = MIMEStructure.parse(Self.crlf(text), limits: .init(depth: 20, parts: 1000))
        var depth = 0
        while let child = part.children.first { part = child; depth += 1 }
        #expect(depth == 20)
    }

    @Test func partCountIsBounded() {
        let text = "Content-Type: multipart/mixed; boundary=x\n\n" + String(repeating: "--x\n\na\n", count: 500)
        let root = MIMEStructure.parse(Self.crlf(text), limits: .init(depth: 20, parts: 100))
        #expect(root.children.count == 99)
    }

    @Test func bareLineFeedsAreUnderstood() {
        let message = Array("Content-Type: multipart/mixed; boundary=x\n\n--x\n\nab\n--x--\n".utf8)
        #expect(body(MIMEStructure.parse(message).children[0], message) == "ab")
    }

    /// Whatever is cut off or changed, the parser neither fails nor reports ranges outside.
    @Test func everyPrefixParses() {
        let message = Self.crlf("Content-Type: multipart/mixed; boundary=\"x y\"\n\npre\n--x y\nContent-Type: message/rfc822\n\nSubject: a\n\nb\n--x y\n\nc\n--x y--\nepi\n")
        for count in 0...message.count {
            let part = MIMEStructure.parse(Array(message[..<count]))
            #expect(part.range == 0..<count)
            checkNesting(part)
        }
    }
}
