import IMAPCore
import InternetMessage
import Testing

@Suite struct StructureEncodingTests {
    func envelope(_ header: String) -> String {
        var writer = ResponseWriter()
        Envelope(Message(parsing: Array(header.utf8)).header).encode(into: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    func structure(_ text: String, extended: Bool, limits: MIMEStructure.Limits = .init()) -> String {
        crlf(text).withUnsafeBytes { raw in
            var writer = ResponseWriter()
            BodyStructure.encode(MIMEStructure.parse(raw, limits: limits), of: raw, extended: extended, into: &writer)
            return String(decoding: writer.bytes, as: UTF8.self)
        }
    }

    static let sample = """
        Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
        From: Terry Gray <gray@cac.washington.edu>
        Subject: IMAP4rev1 WG mtg summary and minutes
        To: imap@cac.washington.edu
        cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
        Message-Id: <B27397-0100000@cac.washington.edu>
        MIME-Version: 1.0
        Content-Type: TEXT/PLAIN; CHARSET=US-ASCII


        """

    /// RFC 3501 §8's message and its ENVELOPE.
    @Test func sampleEnvelope() {
        let gray = #"(("Terry Gray" NIL "gray" "cac.washington.edu"))"#
        #expect(envelope(Self.sample) == #"("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" "# + "\(gray) \(gray) \(gray) "
            + #"((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL "<B27397-0100000@cac.washington.edu>")"#)
    }

    @Test func envelopeOfNothing() { #expect(envelope("X: y\n\n") == "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)") }

    @Test func envelopeDetails() {
        #expect(envelope("Subject:\nFrom: a@x\nSender: \nReply-To: <@r.test:b@y>\nTo: G: c@z, \"q r\"@z;, bare\nSubject: second\nIn-Reply-To: <a>\n <b>\n\n")
            == #"(NIL "" ((NIL NIL "a" "x")) ((NIL NIL "a" "x")) ((NIL "@r.test" "b" "y")) ((NIL NIL "G" NIL)(NIL NIL "c" "z")(NIL NIL "q r" "z")(NIL NIL NIL NIL)(NIL NIL "bare" "MISSING_DOMAIN")) NIL NIL "<a> <b>" NIL)"#)
        #expect(envelope("Subject: \u{e9}\n\n") == "(NIL {2}\r\n\u{e9} NIL NIL NIL NIL NIL NIL NIL NIL)")
    }

    /// RFC 3501 §8: BODY ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 3028 92).
    @Test func textBody() {
        #expect(structure(Self.sample + "a\nb\n", extended: false) == #"("text" "plain" ("CHARSET" "US-ASCII") NIL NIL "7bit" 6 2)"#)
        #expect(structure("\nx", extended: true) == #"("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL)"#)
    }

    /// RFC 3501 §7.4.2's example of a body of two parts, its sizes replaced.
    @Test func multipart() {
        let text = """
            Content-Type: MULTIPART/MIXED; boundary=b

            --b
            Content-Type: TEXT/PLAIN; CHARSET=US-ASCII

            a
            b
            --b
            Content-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME="cc.diff"
            Content-ID: <960723163407.20117h@cac.washington.edu>
            Content-Description: Compiler diff
            Content-Transfer-Encoding: BASE64
            Content-Disposition: attachment; filename="x y"
            Content-Language: en
            Content-MD5: abc

            AAAA
            --b--
            """
        let first = #""text" "plain" ("CHARSET" "US-ASCII") NIL NIL "7bit" 4 1"#
        let second = #""text" "plain" ("CHARSET" "US-ASCII" "NAME" "cc.diff") "<960723163407.20117h@cac.washington.edu>" "Compiler diff" "base64" 4 0"#
        #expect(structure(text, extended: false) == "((\(first))(\(second)) \"mixed\")")
        #expect(structure(text, extended: true) == "((\(first) NIL NIL NIL NIL)(\(second) \"abc\" (\"attachment\" (\"filename\" \"x y\")) \"en\" NIL) \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)")
    }

    @Test func enclosedMessage() {
        let text = "Content-Type: message/rfc822\nContent-Language: en, de\nContent-Location: x\n\nSubject: s\n\nbody\n"
        let envelope = #"(NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL)"#
        #expect(structure(text, extended: false) == #"("message" "rfc822" NIL NIL NIL "7bit" 20 "# + envelope + #" ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 6 1) 3)"#)
        #expect(structure(text, extended: true).hasSuffix(#" 3 NIL NIL ("en" "de") "x")"#))
    }

    /// The grammar wants at least one part in a multipart, and an envelope in a message.
    @Test func whatCannotBeClaimedIsNot() {
        #expect(structure("Content-Type: multipart/mixed\n\nx", extended: false) == #"("text" "plain" NIL NIL NIL "7bit" 1 0)"#)
        #expect(structure("Content-Type: message/rfc822\n\nA: b\n\nx", extended: false, limits: .init(depth: 0)) == #"("application" "octet-stream" NIL NIL NIL "7bit" 9)"#)
    }
}
