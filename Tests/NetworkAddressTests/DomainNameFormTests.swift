import NetworkAddress
import Testing

/// Names that are all ASCII take a way of their own: these hold for both.
struct DomainNameFormTests {
    @Test(arguments: [
        ("", ""), (".", ""), ("Example.ORG", "example.org"), ("example.org.", "example.org"), ("_25._TCP.mail.example", "_25._tcp.mail.example"),
        ("a", "a"), ("xn--BCHER-kva.example", "xn--bcher-kva.example"), ("bücher.Example", "xn--bcher-kva.example"),
        ("BÜCHER\u{3002}example", "xn--bcher-kva.example"), ("a!b.example", "a!b.example"), ("-a-.example", "-a-.example"),
    ])
    func taken(text: String, form: String) { #expect(DomainName(text)?.text == form) }

    @Test(arguments: ["..", ".a", "a..b", "a b", "a\u{7f}", "a\tb", "a\r\nb", "a.", "a.b.."])
    func labelsAndOctets(text: String) { #expect((DomainName(text) == nil) == (text != "a.")) }

    // RFC 1035 §2.3.4: 63 octets a label, 253 in text.
    @Test func limits() {
        let label = String(repeating: "a", count: 63)
        #expect(DomainName(label) != nil)
        #expect(DomainName(label + "a") == nil)
        let long = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
        #expect(long.utf8.count == 253)
        #expect(DomainName(long) != nil)
        #expect(DomainName(long + ".") != nil)
        #expect(DomainName(long + "b") == nil)
    }
}
