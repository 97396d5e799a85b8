import NetworkAddress
@testable import Policy
import Testing

@Suite struct ConditionTests {
    @Test func wordsCompare() throws {
        #expect(try holds("dmarc.result == fail and dmarc.policy == reject", .message, [.dmarcResult: .word("fail"), .dmarcPolicy: .word("reject")]))
        #expect(try !holds("dmarc.result == fail and dmarc.policy == reject", .message, [.dmarcResult: .word("fail"), .dmarcPolicy: .word("none")]))
        #expect(try holds("spf.result in [\"fail\", softfail]", .message, [.spfResult: .word("softfail")]))
    }

    @Test func networksContain() throws {
        let inside = try #require(IPAddress("192.0.2.77")), mapped = try #require(IPAddress("::ffff:192.0.2.77"))
        let outside = try #require(IPAddress("192.0.3.1")), six = try #require(IPAddress("2001:db8:1::5"))
        for (ip, expected) in [(inside, true), (mapped, true), (outside, false), (six, true)] {
            #expect(try holds("client.ip in [192.0.2.0/24, 2001:db8::/32]", .connect, [.clientIP: .ip(ip)]) == expected, "\(ip)")
        }
        #expect(try holds("client.ip in 192.0.2.0/24", .connect, [.clientIP: .ip(inside)]))
        #expect(try holds("client.ip == 192.0.2.77", .connect, [.clientIP: .ip(mapped)]))
        #expect(try holds("client.ip in fe80::/10", .connect, [.clientIP: .ip(#require(IPAddress("fe80::1")))]))
        #expect(try holds("client.ip in ::1", .connect, [.clientIP: .ip(.v6Loopback)]))
    }

    @Test func missingEqualsOnlyMissing() throws {
        #expect(try holds("sender == missing", .mail))
        #expect(try !holds("sender != missing", .mail))
        #expect(try !holds("sender.domain == \"example.org\"", .mail))
        #expect(try holds("sender.domain != \"example.org\"", .mail))
        #expect(try holds("sender.domain not in [\"example.org\"]", .mail))
        #expect(try !holds("size > 0", .mail))
        #expect(try !holds("size <= 0", .mail))
        #expect(try holds("dkim.domains == missing", .message, [.dkimDomains: .list([])]))
    }

    @Test func listsContainAnotherNamesValue() throws {
        let signed = try PolicyValue.list([.domain(domain("esp.example")), .domain(domain("Bank.example"))])
        for (from, expected) in [("bank.example", true), ("esp.example", true), ("other.example", false)] {
            let facts: [PolicyFact: PolicyValue] = try [.dkimDomains: signed, .fromDomain: .domain(domain(from))]
            #expect(try holds("dkim.domains contains from.domain", .message, facts) == expected, "\(from)")
        }
        #expect(try !holds("dkim.domains contains from.domain", .message, [.dkimDomains: signed]), "no From, nothing contained")
        #expect(try !holds("dkim.domains contains from.domain", .message, [.fromDomain: .domain(domain("bank.example"))]))
        #expect(try holds("recipients contains from", .message, [.recipients: .list([.address(address("A@b.example"))]), .from: .address(address("a@B.example"))]))
    }

    @Test func addressesIgnoreCase() throws {
        let sender: [PolicyFact: PolicyValue] = try [.sender: .address(address("Alice@Example.ORG"))]
        #expect(try holds("sender == \"alice@example.org\"", .mail, sender))
        #expect(try holds("sender in [\"@example.org\"]", .mail, sender))
        #expect(try !holds("sender in [\"@.example.org\"]", .mail, sender))
        #expect(try holds("sender matches \"*@EXAMPLE.*\"", .mail, sender))
        #expect(try !holds("sender matches \"alice\"", .mail, sender), "a glob must match the whole")
    }

    @Test func domainsBelowAParent() throws {
        for (name, expected) in [("example.org", false), ("a.example.org", true), ("b.a.example.org", true), ("notexample.org", false)] {
            let facts: [PolicyFact: PolicyValue] = try [.fromDomain: .domain(domain(name))]
            #expect(try holds("from.domain in [\".example.org\"]", .message, facts) == expected, "\(name)")
            #expect(try holds("from.domain in [\"*.example.org\"]", .message, facts) == expected, "\(name)")
        }
        #expect(try holds("from.domain == \"Bücher.example\"", .message, [.fromDomain: .domain(domain("xn--bcher-kva.example"))]))
    }

    @Test func headersHoldForAnyField() throws {
        let headers = ["subject": ["Hello", "Cheap PILLS"]]
        #expect(try holds("header[\"Subject\"] contains \"pills\"", headers: headers))
        #expect(try holds("header[\"SUBJECT\"] contains [\"nothing\", \"hello\"]", headers: headers))
        #expect(try !holds("header[\"Subject\"] != \"hello\"", headers: headers), "one of them is")
        #expect(try holds("header[\"X-Other\"] == missing", headers: headers))
    }

    @Test func listsContain() throws {
        let facts: [PolicyFact: PolicyValue] = try [.dkimDomains: .list([.domain(domain("a.example")), .domain(domain("b.example"))])]
        #expect(try holds("dkim.domains contains \"b.example\"", .message, facts))
        #expect(try !holds("dkim.domains contains \"c.example\"", .message, facts))
        #expect(try holds("dkim.domains contains [\"c.example\", \".example\"]", .message, facts))
        #expect(try holds("dkim.domains matches \"a.*\"", .message, facts))
    }

    @Test func sizesAndOrder() throws {
        #expect(try holds("size > 10M", .message, [.size: .number(10 * 1024 * 1024 + 1)]))
        #expect(try !holds("size > 10M", .message, [.size: .number(10 * 1024 * 1024)]))
        #expect(try holds("size >= 1KB and recipients.count < 3", .message, [.size: .number(1024), .recipientsCount: .number(2)]))
        #expect(try holds("tls.version < TLSv1.2", .connect, [.tlsVersion: .word("TLSv1.1")]))
        #expect(try !holds("tls.version < TLSv1.2", .connect, [.tlsVersion: .word("TLSv1.3")]))
        #expect(try !holds("tls.version < TLSv1.2", .connect), "in the clear there is no version")
    }

    @Test func factsCompareWithFacts() throws {
        let same: [PolicyFact: PolicyValue] = try [.sender: .address(address("a@x.example")), .from: .address(address("A@x.example"))]
        #expect(try holds("sender == from", .message, same))
        #expect(try holds("sender.domain != from.domain", .message, [.senderDomain: .domain(domain("x.example")), .fromDomain: .domain(domain("y.example"))]))
    }

    @Test func logicBindsAsUsual() throws {
        #expect(try holds("true or false and false", .connect))
        #expect(try !holds("(true or false) and false", .connect))
        #expect(try holds("not false and true", .connect))
        #expect(try holds("not (false or false)", .connect))
        #expect(try holds("client.own", .connect, [.clientOwn: .flag(true)]))
        #expect(try !holds("client.own", .connect))
    }

    @Test func tablesOfEveryType() throws {
        let tables = ["lists/nets": "# ours\n10.0.0.0/8\n\n2001:db8::/32 # lab\n", "lists/senders": "eve@evil.example\n@spam.example\n*@*.top\r\n",
                      "lists/names": "vip\nteam-*\n"]
        #expect(try holds("client.ip in table \"lists/nets\"", .connect, [.clientIP: .ip(#require(IPAddress("10.9.8.7")))], tables: tables))
        #expect(try !holds("client.ip in table \"lists/nets\"", .connect, [.clientIP: .ip(#require(IPAddress("11.9.8.7")))], tables: tables))
        for (sender, expected) in [("Eve@evil.example", true), ("bob@evil.example", false), ("any@spam.example", true), ("x@y.top", true)] {
            #expect(try holds("sender in table \"lists/senders\"", .mail, [.sender: .address(address(sender))], tables: tables) == expected, "\(sender)")
        }
        #expect(try holds("account not in table \"lists/names\"", .mail, [.account: .text("bob")], tables: tables))
        #expect(try holds("account in table \"lists/names\"", .mail, [.account: .text("Team-red")], tables: tables))
    }

    @Test func largeTableAnswersByHash() throws {
        let table = (0..<60_000).map { "10.\($0 >> 8 & 255).\($0 & 255).0/24" }.joined(separator: "\n")
        let rules = try load("stage connect rule \"r\" when client.ip in table \"t\" then reject", ["t": table])
        let out = rules.evaluate(.connect, LiteralFacts(values: [.clientIP: .ip(try #require(IPAddress("10.1.2.3")))]))
        #expect(out.decision != nil)
    }
}
