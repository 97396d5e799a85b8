import NetworkAddress
import Testing

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("::", "::"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("::1", "::1"),
    ])
    func text(_ text: String, _ expected: String) { #expect(IPAddress(text)?.description == expected) }

    @Test(arguments: ["", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "[::1]", "fe80::1%eth0", "IPv6:::1", ":::", "1.2.3.4\u{0}"])
    func refused(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test func reverseNames() {
        #expect(IPAddress("192.0.2.1")?.reverseName == "1.2.0.192.in-addr.arpa")
        // RFC 3596 §2.5's example.
        #expect(IPAddress("4321:0:1:2:3:4:567:89ab")?.reverseName == "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa")
    }

    @Test func mapped() {
        #expect(IPAddress("::ffff:127.0.0.1")?.unmapped == .v4Loopback)
        #expect(IPAddress("::ffff:127.0.0.1")?.isLoopback == true && IPAddress("::2")?.isLoopback == false && IPAddress("127.9.9.9")?.isLoopback == true)
        #expect(IPAddress(octets: [1, 2, 3]) == nil)
    }

    @Test(arguments: [
        ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false), ("192.0.2.128/25", "192.0.2.127", false), ("0.0.0.0/0", "8.8.8.8", true),
        ("0.0.0.0/0", "2001:db8::1", false), ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
        ("127.0.0.0/8", "::ffff:127.0.0.1", true), ("::ffff:10.0.0.0/104", "10.1.2.3", true), ("[::1]/128", "::1", true), ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
    ])
    func networks(_ network: String, _ address: String, _ expected: Bool) throws {
        #expect(try #require(IPNetwork(network)).contains(try #require(IPAddress(address))) == expected)
    }

    @Test(arguments: ["192.0.2.0/33", "::/129", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/+1", "192.0.2.0/1/2", "/8", "x/8"])
    func refusedNetworks(_ text: String) { #expect(IPNetwork(text) == nil) }
}

@Suite struct DomainNameTests {
    @Test(arguments: [
        ("Example.ORG.", "example.org"), ("b\u{fc}cher.example", "xn--bcher-kva.example"), ("B\u{dc}CHER.example", "xn--bcher-kva.example"), ("_dmarc.x", "_dmarc.x"),
        ("bu\u{308}cher.example", "xn--bcher-kva.example"), ("\u{4f8b}\u{3048}\u{3002}\u{30c6}\u{30b9}\u{30c8}", "xn--r8jz45g.xn--zckzah"), ("", ""), (".", ""),
    ])
    func canonical(_ text: String, _ expected: String) { #expect(DomainName(text)?.text == expected) }

    @Test(arguments: ["a..b", ".a", "a b", "a\u{0}b", "a\nb"])
    func refused(_ text: String) { #expect(DomainName(text) == nil) }

    /// RFC 1035 §2.3.4.
    @Test func limits() {
        let label = String(repeating: "a", count: 63)
        #expect(DomainName(label) != nil && DomainName(label + "a") == nil)
        #expect(DomainName([label, label, label, String(repeating: "a", count: 61)].joined(separator: ".")) != nil)
        #expect(DomainName([label, label, label, String(repeating: "a", count: 62)].joined(separator: ".")) == nil)
    }

    @Test func hierarchy() throws {
        let name = try #require(DomainName("a.b.example"))
        #expect(name.parent?.text == "b.example" && DomainName("example")?.parent?.isRoot == true && DomainName("")?.parent == nil)
        let parent = try #require(DomainName("b.example")), other = try #require(DomainName("xb.example"))
        #expect(name.isSame(orBelow: parent) && name.isSame(orBelow: name) && !name.isSame(orBelow: other) && !other.isSame(orBelow: parent))
        #expect(name.prepending("_dmarc")?.text == "_dmarc.a.b.example" && DomainName("")?.prepending("x")?.text == "x")
        #expect(name.isHostName && DomainName("_x.y")?.isHostName == false && DomainName("-x.y")?.isHostName == false)
    }

    /// RFC 3492 §7.1 (B), (I) and (L), in the lower case that names are compared in.
    @Test(arguments: [("\u{4ed6}\u{4eec}\u{4e3a}\u{4ec0}\u{4e48}\u{4e0d}\u{8bf4}\u{4e2d}\u{6587}", "xn--ihqwcrb4cv8a8dqg056pqjye"), ("3\u{5e74}b\u{7d44}\u{91d1}\u{516b}\u{5148}\u{751f}", "xn--3b-ww4c5e180e575a65lsy2b")])
    func punycode(_ unicode: String, _ ascii: String) {
        #expect(DomainName(unicode)?.text == ascii)
        #expect(DomainName(ascii)?.unicode == unicode)
    }

    @Test func brokenPunycodeStaysAsItIs() { #expect(DomainName("xn--99999999.x")?.unicode == "xn--99999999.x") }
}
