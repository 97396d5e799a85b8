import Foundation
import InternetMessage
@testable import SMTPClient
import SMTPCore
import Testing

/// RFC 6152 §3 with RFC 2045 §6.
@Suite struct ConversionTests {
    static func lines(_ text: String) -> [UInt8] { Array(text.replacing("\n", with: "\r\n").utf8) }

    func converted(_ text: String) throws -> String {
        String(decoding: try #require(SevenBitConversion.convert(Self.lines(text))), as: UTF8.self).replacing("\r\n", with: "\n")
    }

    @Test func textBecomesQuotedPrintable() throws {
        let text = "Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße = 1 \nend\n"
        #expect(try converted(text) == "Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe =3D 1=20\nend\n")
    }

    @Test func whatSaysNothingOfItselfIsOfUnknownCharset() throws {
        let out = try converted("Subject: x\n\nü\n")
        #expect(out.contains("MIME-Version: 1.0\n") && out.contains("charset=unknown-8bit\n") && out.hasSuffix("\n\n=C3=BC\n"))
    }

    @Test func onlyThePartsThatNeedIt() throws {
        let text = """
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary=b
            Content-Transfer-Encoding: 8bit

            --b
            Content-Type: text/plain; charset=us-ascii

            plain = plain
            --b
            Content-Type: application/octet-stream
            Content-Transfer-Encoding: 8bit

            bü
            --b--

            """
        let out = try converted(text)
        #expect(out.contains("boundary=b\nContent-Transfer-Encoding: 7bit\n"))
        #expect(out.contains("plain = plain\n"))
        #expect(out.contains("Content-Transfer-Encoding: base64\n\n\(Data("bü".utf8).base64EncodedString())\n--b--"))
    }

    @Test func anEnclosedMessageIsConvertedInside() throws {
        let out = try converted("MIME-Version: 1.0\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\nSubject: inner\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nü\n")
        #expect(out.contains("message/rfc822\nContent-Transfer-Encoding: 7bit\n\nSubject: inner"))
        #expect(out.hasSuffix("Content-Transfer-Encoding: quoted-printable\n\n=C3=BC\n"))
    }

    @Test(arguments: [
        "Content-Type: multipart/signed; boundary=b\n\n--b\n\nü\n--b\nContent-Type: application/pgp-signature\n\nx\n--b--\n",
        "Subject: ü\n\nbody\n", "Content-Type: multipart/mixed; boundary=b\n\nü\n--b\n\nx\n--b--\n",
        "Content-Transfer-Encoding: base64\n\nü\n", "Content-Type: message/partial\n\nü\n",
    ])
    func whatCannotBe(text: String) { #expect(SevenBitConversion.convert(Self.lines(text)) == nil) }

    @Test func linesStayWithinTheirLength() throws {
        for text in [String(repeating: "ü", count: 500), String(repeating: "a", count: 75) + "ü", String(repeating: "a ", count: 100) + "ü"] {
            let out = SevenBitConversion.quotedPrintable(Array((text + "\r\n").utf8)[...])
            #expect(String(decoding: out, as: UTF8.self).split(separator: "\r\n").allSatisfy { $0.utf8.count <= 76 })
            #expect(MIMETransferEncoding("quoted-printable").decode(out) == Array((text + "\r\n").utf8))
        }
    }

    @Test func itHappensOnlyWhereTheServerWantsIt() async {
        let message = OutgoingMessage(Self.lines("Subject: x\n\nü\n"))
        let able = ServerExtensions(ehloReply: SMTPReply(250, lines: ["mx", "8BITMIME"]))
        #expect(await message.fitting(able).bodyIs8Bit)
        #expect(await message.fitting(.none()).bodyIs8Bit == false)
    }
}
