@testable import InternetMessage
import NetworkAddress
import Testing

/// Received fields as Postfix, Exim and we write them, and others, of which nothing is guessed.
@Suite struct ReceivedHopTests {
    private func parse(_ value: String) -> ReceivedHop? { ReceivedHop(HeaderField(name: "Received", value: value + "; Mon, 23 Nov 2026 10:00:00 +0000")) }

    static let readable: [(String, helo: String, name: String?, address: String)] = [
        ("from h.example (mail.example [192.0.2.1])\r\n\tby mx (Postfix) with ESMTP id 4X\r\n\tfor <b@x>", "h.example", "mail.example", "192.0.2.1"),
        ("from h.example (unknown [192.0.2.1]) by mx (Postfix) with SMTP id 4X", "h.example", nil, "192.0.2.1"),
        ("from [10.0.0.1] (unknown [IPv6:2001:db8::1]) by mx (Postfix) with ESMTP id 4X", "[10.0.0.1]", nil, "2001:db8::1"),
        ("from h.example (mail.example [192.0.2.1]) (using TLSv1.3 with cipher X (256/256 bits) key-exchange X25519) (No client certificate requested) by mx (Postfix) with ESMTPS id 4X",
         "h.example", "mail.example", "192.0.2.1"),
        ("from mail.example ([192.0.2.1]) by mx with esmtps (TLS1.3) tls X (Exim 4.96) (envelope-from <a@b>) id 1abc", "mail.example", "mail.example", "192.0.2.1"),
        ("from mail.example ([192.0.2.1]:4711 helo=h.example) by mx with esmtp (Exim 4.96) id 1abc", "h.example", "mail.example", "192.0.2.1"),
        ("from [192.0.2.1] (helo=h.example) by mx with smtp (Exim 4.96) id 1abc", "h.example", nil, "192.0.2.1"),
        ("from [192.0.2.1] (port=4711 helo=h.example ident=joe) by mx with smtp (Exim 4.96) id 1abc", "h.example", nil, "192.0.2.1"),
        ("from [2001:db8::1] (helo=[2001:db8::1]) by mx with smtp (Exim 4.96) id 1abc", "[2001:db8::1]", nil, "2001:db8::1"),
        ("from [192.0.2.1] by mx with smtp (Exim 4.96) id 1abc", "[192.0.2.1]", nil, "192.0.2.1"),
    ]

    @Test(arguments: readable.indices) func read(_ index: Int) throws {
        let (text, helo, name, address) = Self.readable[index]
        let hop = try #require(parse(text), "\(text)")
        #expect(hop.helo == helo)
        #expect(hop.clientName == name)
        #expect(hop.clientAddress == IPAddress(address))
    }

    @Test func tls() {
        #expect(parse("from h (u.example [192.0.2.1]) (using TLSv1.2 with cipher ECDHE (128/128 bits)) by mx (Postfix) with ESMTPS id 4")?.tls
            == .init(version: "TLSv1.2", cipher: "ECDHE", bits: 128))
        #expect(parse("from h ([192.0.2.1]) by mx with esmtps (TLS1.3) tls TLS_AES (Exim 4.96) id 1")?.tls == .init(version: "TLSv1.3", cipher: "TLS_AES", bits: 0))
        #expect(parse("from h ([192.0.2.1]) by mx with esmtps (TLS1.2:ECDHE_RSA:256) (Exim 4.92) id 1")?.tls == .init(version: "TLSv1.2", cipher: "ECDHE_RSA", bits: 256))
        #expect(parse("from h (u.example [192.0.2.1]) by mx (Postfix) with ESMTP id 4")?.tls == nil)
    }

    @Test(arguments: [
        "", "by mx (Postfix, from userid 0) id 4", "from h by mx with SMTP id 4", "from h (mail.example) by mx id 4",
        "from h (mail.example [192.0.2.999]) by mx id 4", "from h (mail.example [192.0.2.1] extra) by mx id 4",
        "from mail.example (192.0.2.1) by mx (Sendmail) id 4", "from joe by mx with local (Exim 4.96) id 1", "from h (a [192.0.2.1]",
        "from h) by mx", "from [192.0.2.1] (mail from elsewhere) by mx id 4", "from [192.0.2.1]x (helo=h) by mx",
        "from mail.example ([192.0.2.1] HELO h) by mx with qmail",
    ])
    func nothingIsGuessed(_ text: String) { #expect(parse(text) == nil) }

    @Test func aFieldWithoutADateOrTooLongIsNotRead() {
        #expect(ReceivedHop(HeaderField(name: "Received", value: "from h (m.example [192.0.2.1]) by mx (Postfix) id 4")) == nil)
        #expect(parse("from h (m.example [192.0.2.1]) by " + String(repeating: "x", count: 5000)) == nil)
    }

    @Test func theId() { #expect(ReceivedHop.id(of: HeaderField(name: "Received", value: "from a (b [192.0.2.1]) by c (Postern) with SMTP id 7Q;\r\n\tMon, 23 Nov 2026 10:00:00 +0000")) == "7Q") }
}
