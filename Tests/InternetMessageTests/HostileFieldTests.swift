import InternetMessage
import Testing

@Suite struct HostileFieldTests {
    static let texts = [
        "mx.example.org 1; dkim=fail (x(y)z) reason=\"a\\\"b\" header.d=x.org header.i=\"a b\"@x; spf/1=pass smtp.mailfrom=a@b",
        "A (c) \"q\\\"r\" <@a.b,@c.d:e.f@g.h>, G: i@j, <k@[1.2.3.4]>;, l@m (n)", "Mon (a) , 3 (b) feb (c) 103 (d) 01 (e) : 02 : 03 pdt",
        "=?iso-2022-jp?B?GyRCJDMkcyRLJEEkTxsoQg==?= =?utf-8*en?q?=e2=82?= =?utf-8?q?=ac?= x",
    ]

    /// Every prefix and every single changed octet is survived by every parser; what Authentication-Results reads it also writes so that it reads the same.
    @Test(arguments: texts)
    func nothingCrashes(_ text: String) {
        let bytes = Array(text.utf8)
        var variants = (0...bytes.count).map { Array(bytes[..<$0]) }
        for index in bytes.indices {
            for byte in Array("\"\\()<>@,;:=?*\r\n\u{0}".utf8) + [0xff] {
                var changed = bytes
                changed[index] = byte
                variants.append(changed)
            }
        }
        for variant in variants {
            _ = AddressList.parse(variant)
            _ = MailDate(parsing: variant)
            _ = EncodedWords.decode(variant)
            if let results = AuthenticationResults(parsing: variant), results.isRepresentable {
                #expect(AuthenticationResults(parsing: Array(results.headerValue.utf8)) == results)
            }
        }
    }

    @Test func manyParametersTakeBoundedTime() {
        let parameters = (0..<2000).map { "; boundary*\($0)=x" }.joined()
        #expect(MIMEStructure.parse(Array("Content-Type: multipart/mixed\(parameters)\r\n\r\n--\(String(repeating: "x", count: 200))\r\n\r\na\r\n".utf8)).children.count == 1)
    }
}

extension AuthenticationResults {
    /// Control octets are blanked when written, so only values without them can read the same.
    fileprivate var isRepresentable: Bool {
        let texts = [authservID] + results.flatMap { [$0.reason ?? ""] + $0.properties.map(\.value) }
        return !texts.contains { $0.unicodeScalars.contains { $0.value < 32 || $0.value == 127 } }
    }
}
