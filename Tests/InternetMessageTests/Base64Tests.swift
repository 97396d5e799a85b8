import InternetMessage
import Testing

struct Base64Tests {
    // RFC 4648 §10.
    static let vectors = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")]

    @Test(arguments: vectors) func standard(plain: String, encoded: String) {
        #expect(Base64.encode(plain.utf8) == encoded)
        #expect(Base64.decodeStrictly(encoded.utf8) == Array(plain.utf8))
        #expect(Base64.decode(encoded.utf8) == Array(plain.utf8))
    }

    @Test func everyOctetAndEveryKindOfCollection() {
        let all = (0...255).map { UInt8($0) }
        let text = Base64.encode(all)
        #expect(Base64.encode(all.lazy.map { $0 }) == text)
        #expect(Base64.encode(all[...]) == text)
        #expect(Base64.decodeStrictly(text.utf8) == all)
        #expect(Base64.decodeStrictly(Array(text.utf8).lazy.map { $0 }) == all)
    }

    @Test(arguments: ["Zg=", "Zg", "Z===", "====", "=", "Zg==Zg==", "Z=g=", "Zm9v ", "Zm 9v", "Zm9*", "Zm9v\r\n", "Zm-_", "Zm9vé"])
    func strictly(text: String) { #expect(Base64.decodeStrictly(text.utf8) == nil) }

    // RFC 2045 §6.8: other octets are skipped, and the first padding ends the text.
    @Test(arguments: [("Zm9v\r\nYmFy", "foobar"), (" Z m 9 v ", "foo"), ("Zg", "f"), ("Zm8", "fo"), ("Zg==Zm9v", "f"), ("=", ""), ("Z", ""), ("*!é", "")])
    func leniently(text: String, plain: String) { #expect(Base64.decode(text.utf8) == Array(plain.utf8)) }
}
