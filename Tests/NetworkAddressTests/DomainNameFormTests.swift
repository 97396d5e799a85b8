import NetworkAddress
import Testing

/// Names that are all ASCII take a way of their own: these hold for both.
struct DomainNameFormTests {
    @Test(arguments: [
        ("", ""), (".", ""), ("Example.ORG", "example.org"), ("example.org.", "example.org"), ("_25._TCP.mail.example", "_25._tcp.mail.example"),
        ("a", "a"), ("xn--BCHER-kva.example", "xn--bcher-kva.example"), ("bücher.Example", "xn--bcher-kva.example"),
        ("BÜCHER\u{3002}example", "xn--bcher-kva.example"), ("a!b.example", "a!b.example"), ("-a-.example", "-a-.example"),
        // A dot is a dot, whatever mark is put on it.
        ("a.\u{301}b.example", "a.xn--b-wbb.example"),
        // The Kelvin sign is a k in lower case, and the name is then ASCII.
        ("\u{212A}iwi.example", "kiwi.example"),
    ])
    func taken(text: String, form: String) { #expect(DomainName(text)?.text == form) }

    @Test(arguments: ["..", ".a", "a..b", "a b", "a\u{7f}", "a\tb", "a\r\nb", "a.", "a.b..", "ü\r\nX: y", "\u{12}é.example", "ü b", "ü\u{7f}"])
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

    // What people are shown must be that name and no other: `xn--paypal-` decodes to the name of somebody else.
    @Test(arguments: [
        ("xn--bcher-kva.example", "bücher.example"), ("xn--paypal-.example", "xn--paypal-.example"), 
        (DomainName("pay\u{200B}pal.example")?.text ?? "", DomainName("pay\u{200B}pal.example")?.text ?? "-"),
        (DomainName("\u{202E}lapyap.example")?.text ?? "", DomainName("\u{202E}lapyap.example")?.text ?? "-"),
    ])
    func shown(name: String, form: String) { #expect(DomainName(name)?.unicode == form) }

    // UTS 39 §5.2, beyond Highly Restrictive; and A-labels that stand for no name.
    @Test(arguments: [
        ("example.org", false), ("bücher.example", false), ("пример.example", false), ("日本語テスト.example", false), ("東京tokyo.example", false),
        ("한국korea.example", false), ("παράδειγμα.example", false), ("ελ-24.example", false),
        ("p\u{430}ypal.example", true), ("раураl.example", true), ("googl\u{3b5}.example", true), ("ελлада.example", true), ("mail.p\u{430}ypal.example", true),
        ("pay\u{200B}pal.example", true), ("\u{202E}lapyap.example", true), ("xn--paypal-.example", true), ("xn--a\u{301}.example", true),
    ])
    func confusable(name: String, isConfusable: Bool) { #expect(DomainName(name)?.isConfusable == isConfusable) }
}
