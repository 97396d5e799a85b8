import InternetMessage
import NetworkAddress
import Testing
@testable import DKIM

@Suite("Messages printed in the standards") struct StandardVectorTests {
    static let rfc6376 = """
        DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;
              c=simple/simple; q=dns/txt; i=joe@football.example.com;
              h=Received : From : To : Subject : Date : Message-ID;
              bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
              b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB
              4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut
              KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV
              4bmp/YzhwvcubU4=;
        Received: from client1.football.example.com  [192.0.2.1]
              by submitserver.example.com with SUBMISSION;
              Fri, 11 Jul 2003 21:01:54 -0700 (PDT)
        From: Joe SixPack <joe@football.example.com>
        To: Suzie Q <suzie@shopping.example.net>
        Subject: Is dinner ready?
        Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
        Message-ID: <20030712040037.46341.5F8J@football.example.com>

        Hi.

        We lost the game. Are you hungry yet?

        Joe.

        """

    static let rfc8463 = """
        DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
         d=football.example.com; i=@football.example.com;
         q=dns/txt; s=brisbane; t=1528637909; h=from : to :
         subject : date : message-id : from : subject : date;
         bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
         b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
         Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
        DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
         d=football.example.com; i=@football.example.com;
         q=dns/txt; s=test; t=1528637909; h=from : to : subject :
         date : message-id : from : subject : date;
         bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
         b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
         DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
         dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
        From: Joe SixPack <joe@football.example.com>
        To: Suzie Q <suzie@shopping.example.net>
        Subject: Is dinner ready?
        Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
        Message-ID: <20030712040037.46341.5F8J@football.example.com>

        Hi.

        We lost the game.  Are you hungry yet?

        Joe.

        """

    static let rfc6376Key = "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
    static let rfc8463Zone: [String: LiteralResolver.Answer] = [
        "brisbane._domainkey.football.example.com": .txt(["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]),
        "test._domainkey.football.example.com": .txt(["v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"]),
    ]

    @Test("RFC 6376 appendix A: rsa-sha256, simple/simple") func rfc6376() async throws {
        let verifier = try verifier(["brisbane._domainkey.example.com": .txt([Self.rfc6376Key])])
        let results = await verifier.verify(message(Self.rfc6376))
        let result = try #require(results.first)
        #expect(results.count == 1)
        #expect(result.verdict == .pass, "\(result.reason)")
        #expect(result.domain == name("example.com"))
        #expect(result.selector == "brisbane")
        #expect(result.algorithm == "rsa-sha256")
        #expect(result.identity == "joe@football.example.com")
        #expect(result.signaturePrefix == "AuUoFEfD")
        #expect(result.keyBits == 1024)
        #expect(result.countsForDMARC)
    }

    @Test("RFC 8463 appendix A: Ed25519 and RSA side by side") func rfc8463() async throws {
        let results = try await verifier(Self.rfc8463Zone).verify(message(Self.rfc8463))
        #expect(results.map(\.verdict) == [.pass, .pass], "\(results.map(\.reason))")
        #expect(results.map(\.algorithm) == ["ed25519-sha256", "rsa-sha256"])
        #expect(results.map(\.keyBits) == [256, 1024])
        #expect(results.map(\.signedAt) == [1_528_637_909, 1_528_637_909])
    }

    @Test("One changed octet in body or signed header fails", arguments: [
        ("hungry yet?", "hungry yet!", "body"), ("Is dinner ready?", "Is dinner Ready?", "signature"),
    ]) func tampered(from: String, to: String, what: String) async throws {
        let changed = Self.rfc8463.replacing(from, with: to)
        let results = try await verifier(Self.rfc8463Zone).verify(message(changed))
        #expect(results.map(\.verdict) == [.fail, .fail])
        #expect(results.allSatisfy { $0.reason.contains(what) && !$0.countsForDMARC }, "\(results.map(\.reason))")
    }

    @Test("RFC 8463 appendix A: our Ed25519 signature is the printed one") func signsAsPrinted() throws {
        let secret = Base64.decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=".utf8)
        let der: [UInt8] = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20] + secret
        let pem = "-----BEGIN PRIVATE KEY-----\n\(Base64.encode(der))\n-----END PRIVATE KEY-----\n"
        let key = try SigningKey(pem: pem, domain: name("football.example.com"), selector: "brisbane")
        #expect(key.publicRecord == "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")

        let text = message(Self.rfc8463)
        let field = try #require(text.header.first("DKIM-Signature"))
        let printed = try TagList(parsing: field.rawValue)
        let unsigned = try #require(String(decoding: field.bytes, as: UTF8.self).range(of: "b=/gCr")).lowerBound
        let withoutValue = String(decoding: field.bytes, as: UTF8.self)[..<unsigned] + "b="
        var digest = try SHA256Digest()
        for name in ["from", "to", "subject", "date", "message-id"] {
            digest.update(RelaxedHeader.canonicalize(try #require(text.header.first(name))) + [13, 10])
        }
        digest.update(RelaxedHeader.canonicalize(try #require(HeaderField(bytes: withoutValue.utf8))))
        #expect(Base64.encode(try key.privateKey.sign(digest: try digest.finish())) == printed.compact("b"))
        #expect(Base64.encode(try DKIMSigner.bodyHash(text.body)) == printed.compact("bh"))
    }
}
