import Foundation
import InternetMessage
import Testing

@Suite struct TextDecodingTests {
    /// RFC 2047 §8's examples, and the forms that real mail has.
    @Test(arguments: [
        ("=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"),
        ("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld J\u{f8}rn Simonsen"),
        ("=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=", "If you can read this you understand the example."),
        ("=?ISO-8859-1?Q?a?= b", "a b"),
        ("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
        ("=?ISO-8859-1?Q?a_?=  =?ISO-8859-1?Q?b?=", "a b"),
        ("=?UTF-8*en?q?=e2=82?= =?utf-8?q?=ac?=", "\u{20ac}"),
        ("=?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=", "こんにちは"),
        ("=?nonsense?Q?abc?=", "abc"),
        ("a =? b =?x?y?z?= c", "a =? b =?x?y?z?= c"),
        ("=?utf-8?b?=", "=?utf-8?b?="),
        ("plain \u{e9}", "plain \u{e9}"),
    ])
    func encodedWords(_ text: String, _ expected: String) { #expect(EncodedWords.decode(Array(text.utf8)) == expected) }

    /// RFC 2047 §2: no word beyond 75 octets; §5 (3): no character in two words.
    @Test(arguments: ["plain =?text", "\u{fc}", "a" + String(repeating: "\u{20ac}", count: 100), String(repeating: "\u{1f600}x", count: 60)])
    func encodedWordsAreDecodedAgain(_ text: String) throws {
        let encoded = EncodedWords.encode(text)
        #expect(text.utf8.allSatisfy { $0 < 0x80 } ? encoded == text : EncodedWords.decode(Array(encoded.utf8)) == text)
        for word in encoded.components(separatedBy: "\r\n ") where word != text {
            #expect(word.utf8.count <= 75)
            #expect(!EncodedWords.decode(Array(word.utf8)).contains("\u{fffd}"))
        }
    }

    @Test func charsets() {
        #expect(Charset.decode([0xe9], charset: "windows-1252") == "\u{e9}")
        #expect(Charset.decodeStrictly([0xe9], charset: "utf-8") == nil)
        #expect(Charset.decodeStrictly([0xe9], charset: "us-ascii") == nil)
        #expect(Charset.decodeStrictly([0xc1], charset: "KOI8-R") == "а")
        #expect(Charset.decode([97, 0xff, 98], charset: "euc-jp") == "a\u{fffd}b")
        #expect(Charset.isKnown("Shift_JIS") && !Charset.isKnown("utf-8//TRANSLIT") && !Charset.isKnown("wchar_t") && !Charset.isKnown(""))
        #expect(Charset.decode(Array(repeating: 0xe9, count: 10_000), charset: "iso-8859-1") == String(repeating: "\u{e9}", count: 10_000))
    }

    /// RFC 4648 §10.
    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")])
    func base64(_ text: String, _ encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decodeStrictly(Array(encoded.utf8)) == Array(text.utf8))
    }

    @Test(arguments: ["Zg=", "Zg", "Z===", "=Zg=", "Zm 9", "Zg==Zg==", "Zm9v\r\n"])
    func strictBase64Refuses(_ text: String) { #expect(Base64.decodeStrictly(Array(text.utf8)) == nil) }

    @Test func lenientBase64() { #expect(Base64.decode(Array("Zm\r\n9v!YmFy=".utf8)) == Array("foobar".utf8)) }

    @Test(arguments: [
        ("a=3Db=\r\nc", "a=bc"), ("trailing  \r\nx", "trailing\r\nx"), ("a=20\r\n", "a \r\n"), ("bad =zz =", "bad =zz "), ("=e2=82=AC", "\u{20ac}"), ("soft= \t\r\nx", "softx"),
    ])
    func quotedPrintable(_ text: String, _ expected: String) {
        #expect(MIMETransferEncoding("Quoted-Printable").decode(Array(text.utf8)) == Array(expected.utf8))
    }

    @Test func unknownEncodings() { #expect(MIMETransferEncoding("x-uuencode").decode([1]) == nil) }
}
