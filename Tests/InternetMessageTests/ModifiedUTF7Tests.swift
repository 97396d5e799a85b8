import InternetMessage
import Testing

@Suite struct ModifiedUTF7Tests {
    /// RFC 3501 §5.1.3's examples and RFC 2152's.
    @Test(arguments: [
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"), ("A & B", "A &- B"), ("", ""), ("Entwürfe", "Entw&APw-rfe"), ("☺!", "&Jjo-!"), ("👍", "&2D3cTQ-"),
        ("😀", "&2D3eAA-"), ("\u{7f}", "&AH8-"),
    ])
    func bothWays(_ text: String, _ encoded: String) {
        #expect(ModifiedUTF7.encode(text) == encoded)
        #expect(ModifiedUTF7.decode(encoded.utf8) == text)
    }

    /// RFC 3501 §5.1.3's superfluous shift, shift without end, ASCII in base64, bits left over, half a surrogate pair, raw 8-bit.
    @Test(arguments: ["&U,BTFw-&ZeVnLIqe-", "&", "&U,BT", "&U,BTFw", "&AGE-", "&U,BTFx-", "&2D0-", "&3E0-", "é", "ü", "&A-", "&!-", "&ABC/-", "a\u{1}"])
    func malformed(_ text: String) { #expect(ModifiedUTF7.decode(text.utf8) == nil) }

    /// Each run is read once, however long.
    @Test func aLongRun() {
        let text = String(repeating: "日", count: 100_000)
        #expect(ModifiedUTF7.decode(ModifiedUTF7.encode(text).utf8) == text)
    }
}
