import IMAPCore
import InternetMessage
import Testing

@Suite struct SectionTests {
    /// The shape of RFC 3501 §6.4.5's example of part numbers.
    static let message = crlf("""
        Subject: outer
        Content-Type: multipart/mixed; boundary=A

        --A
        Content-Type: text/plain

        one
        --A
        Content-Type: application/octet-stream
        Content-Transfer-Encoding: base64

        AAEC
        --A
        Content-Type: message/rfc822
        X-Part: 3

        Subject: three
        Received: r
        Content-Type: multipart/mixed; boundary=B

        --B

        three-one
        --B
        Content-Transfer-Encoding: x-odd

        three-two
        --B--
        --A
        Content-Type: multipart/mixed; boundary=C

        --C
        Content-Type: image/gif

        four-one
        --C
        Content-Type: message/rfc822

        Subject: four-two

        plain
        --C--
        --A--
        """)

    func section(_ text: String, of message: [UInt8] = message) throws -> String? {
        guard case .fetch(_, let items, _, _) = try command("t FETCH 1 BODY[" + text), let asked = items.first?.bodySection else { return "not a section" }
        return message.withUnsafeBytes { raw in
            SectionExtractor.extract(asked.section, partial: asked.partial, of: raw, structure: MIMEStructure.parse(raw)).map { String(decoding: $0.octets(of: raw), as: UTF8.self) }
        }
    }

    @Test(arguments: [
        ("1]", "one"), ("2]", "AAEC"), ("3.1]", "three-one"), ("3.2]", "three-two"), ("4.1]", "four-one"), ("4.2.1]", "plain"), ("4.2.TEXT]", "plain"),
        ("4.2.HEADER]", "Subject: four-two\r\n\r\n"), ("4.2]", "Subject: four-two\r\n\r\nplain"), ("3.MIME]", "Content-Type: message/rfc822\r\nX-Part: 3\r\n\r\n"),
        ("4.2.1.MIME]", "Subject: four-two\r\n\r\n"), ("3.HEADER.FIELDS (subject x)]", "Subject: three\r\n\r\n"), ("3.HEADER.FIELDS.NOT (content-type)]", "Subject: three\r\nReceived: r\r\n\r\n"),
        ("HEADER]", "Subject: outer\r\nContent-Type: multipart/mixed; boundary=A\r\n\r\n"), ("HEADER.FIELDS (FOO)]", "\r\n"), ("1]<1.1>", "n"), ("1]<1.100>", "ne"), ("1]<3.1>", ""), ("1]<99.1>", ""),
        ("HEADER.FIELDS (SUBJECT)]<0.4>", "Subj"),
    ])
    func found(_ text: String, _ expected: String) throws { #expect(try section(text) == expected) }

    @Test(arguments: ["5]", "1.1]", "1.HEADER]", "1.TEXT]", "4.HEADER]", "4.2.2]", "4.2.1.1]", "3.3]", "1.1.1]"])
    func absent(_ text: String) throws { #expect(try section(text) == nil) }

    @Test func wholeAndText() throws {
        #expect(try section("]") == String(decoding: Self.message, as: UTF8.self))
        #expect(try section("TEXT]")?.hasPrefix("--A\r\n") == true)
        #expect((try section("HEADER]") ?? "") + (try section("TEXT]") ?? "") == (try section("]")))
    }

    /// "Every message has at least one part number": 1 is the body of a message that is not multipart.
    @Test func singlePartMessage() throws {
        let message = crlf("Subject: x\n\nhello\n")
        #expect(try section("1]", of: message) == "hello\r\n")
        #expect(try section("1.MIME]", of: message) == "Subject: x\r\n\r\n")
        #expect(try section("2]", of: message) == nil && section("1.1]", of: message) == nil && section("1.TEXT]", of: message) == nil)
    }

    @Test func messageAsTheWholeBody() throws {
        let message = crlf("Content-Type: message/rfc822\n\nSubject: in\n\nbody\n")
        #expect(try section("1.HEADER]", of: message) == "Subject: in\r\n\r\n")
        #expect(try section("1.1]", of: message) == "body\r\n" && section("1.TEXT]", of: message) == "body\r\n")
    }

    /// The header ends where MIMEStructure says, with and without an empty line.
    @Test(arguments: ["A: b\n c\n\nx", "A: b\nno field\n\nx", "\nx", "", "A: b", "A: b\n", " a\n\nx", "x"])
    func headerEndAgreesWithStructure(_ text: String) {
        crlf(text).withUnsafeBytes { raw in
            #expect(SectionExtractor.headerRange(of: raw, in: 0..<raw.count) == MIMEStructure.parse(raw).headerRange)
        }
    }

    @Test func binary() throws {
        try Self.message.withUnsafeBytes { (raw: UnsafeRawBufferPointer) throws -> Void in
            let structure = MIMEStructure.parse(raw)
            #expect(try SectionExtractor.binary([2], of: raw, structure: structure).octets(of: raw) == [0, 1, 2])
            #expect(try SectionExtractor.binary([2], partial: Partial(origin: 1, count: 9), of: raw, structure: structure).octets(of: raw) == [1, 2])
            #expect(try SectionExtractor.binary([1], of: raw, structure: structure).octets(of: raw) == Array("one".utf8))
            #expect(throws: SectionExtractor.BinaryFailure.unknownEncoding) { try SectionExtractor.binary([3, 2], of: raw, structure: structure) }
            #expect(throws: SectionExtractor.BinaryFailure.noSuchPart) { try SectionExtractor.binary([9], of: raw, structure: structure) }
        }
    }
}
