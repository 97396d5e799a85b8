import Testing

/// What may be expected of a message, met and not met.
@Suite struct ExpectationTests {
    static let rules = """
        stage connect
        rule "door" when client.name == "evil.example" then reject 554 "5.7.1" "go away {client.ip}"
        stage mail
        rule "big" when size > 10M then reject 552 "5.3.4" "too large"
        stage rcpt
        rule "closed" when recipient.detail == "closed" then reject 550 "5.1.1" "no such recipient"
        rule "slow" when recipient.detail == "slow" then tempfail 450 "4.2.0" "later"
        stage message
        rule "junk" when header["Subject"] contains "casino" then file into "Junk", add keyword "$Junk", set header "X-Seen" "{sender}"
        rule "hold" when header["Subject"] contains "hold" then quarantine "held"
        rule "gone" when header["Subject"] contains "gone" then discard

        """

    private func subject(_ text: String) -> String { "message \"\"\"\n  From: a@b.example\n  Subject: \(text)\n\n  text\n\"\"\"\n" }

    @Test(arguments: [
        "client 192.0.2.7 name \"evil.example\" expect reject 554 \"5.7.1\" \"go away 192.0.2.7\" expect connect reject expect rule \"door\" expect not rule \"big\"",
        "size 11M expect reject 552 expect mail reject 552 \"too large\"",
        "size 9M expect accept expect mail accept expect not rule \"big\"",
        "recipient \"a+closed@example.org\" expect reject 550 expect rcpt reject expect not delivered to \"a+closed@example.org\"",
        "recipient \"a+closed@example.org\", \"a@example.org\" expect accept expect rcpt reject 550 for \"A+closed@example.org\" expect rcpt accept for \"a@example.org\" expect delivered to \"A@example.org\"",
        "recipient \"a+slow@example.org\" expect tempfail 450 \"4.2.0\" \"later\"",
        "expect accept expect data accept expect message accept expect header \"Authentication-Results\" expect not header \"X-Seen\" expect not folder \"Junk\" expect not keyword \"$Junk\"",
        "sender \"\" expect that sender == missing",
        "listener local sender \"\" expect that client.ip == missing and client.own and helo == \"localhost\" and listener == local",
        "client 192.0.2.7 name \"mx.a.example\" expect that helo == \"mx.a.example\" and client.name == \"mx.a.example\"",
        "client 2001:db8::1 helo \"there\" listener lmtp tls TLSv1.2 expect that client.ip in 2001:db8::/32 and helo == \"there\" and listener == \"lmtp\" and tls.version < TLSv1.3",
    ])
    func met(test: String) async throws {
        #expect(try await failures(test, rules: Self.rules).isEmpty)
    }

    @Test func metByAMessage() async throws {
        #expect(try await failures(subject("casino") + "sender \"a@b.example\" expect folder \"Junk\" expect keyword \"$Junk\" expect header \"X-Seen\" \"a@b.example\" expect action set header \"X-Seen\" \"{sender}\" expect rule \"junk\"", rules: Self.rules).isEmpty)
        #expect(try await failures(subject("hold") + "expect quarantine", rules: Self.rules).isEmpty)
        #expect(try await failures(subject("gone") + "expect discard expect message discard expect not delivered to \"recipient@example.org\"", rules: Self.rules).isEmpty)
    }

    @Test(arguments: [
        ("expect reject 550", "expected reject 550, got accept"),
        ("size 11M expect accept", "expected accept, got reject 552 5.3.4 too large at mail"),
        ("size 11M expect reject 550", "expected reject 550, got reject 552 5.3.4 too large at mail"),
        ("size 11M expect reject \"no\"", "expected reject \"no\", got reject 552 5.3.4 too large at mail"),
        ("size 11M expect rcpt reject", "expected rcpt reject, but stage rcpt was not reached: reject 552 5.3.4 too large at mail ended the message"),
        ("recipient \"a+closed@example.org\", \"b@example.org\" expect rcpt accept", "expected rcpt accept, got reject 550 5.1.1 no such recipient for a+closed@example.org, accept for b@example.org"),
        ("expect rule \"junk\"", "rule \"junk\" did not match: header[\"Subject\"] = a test"),
        ("size 11M expect rule \"junk\"", "rule \"junk\" was not asked: a rule before it decided, or its stage was not reached"),
        ("size 11M expect not rule \"big\"", "rule \"big\" matched, and must not"),
        ("expect header \"X-A\" \"1\"", "expected header \"X-A\" \"1\", got none"),
        ("expect not header \"Subject\"", "expected no header \"Subject\", got \"a test\""),
        ("expect folder \"Junk\"", "expected folder \"Junk\", got INBOX"),
        ("expect keyword \"$Junk\"", "expected keyword \"$Junk\", got none"),
        ("expect delivered to \"x@example.org\"", "expected delivery to x@example.org, got recipient@example.org"),
        ("expect not delivered to \"recipient@example.org\"", "expected no delivery to recipient@example.org, got recipient@example.org"),
        ("expect that size > 1M and spf.result == pass", "expected that size > 1M and spf.result == pass, but size = "),
        ("expect action file into \"Junk\"", "the action did not happen"),
        ("expect discard", "expected discard, got accept"),
        ("expect quarantine", "expected quarantine, got accept"),
    ])
    func notMet(test: String, sentence: String) async throws {
        let found = try await failures(test, rules: Self.rules)
        #expect(found.count == 1 && found[0].hasPrefix(sentence), "\(found)")
    }

    @Test func aFailureNamesItsLine() async throws {
        let report = try await run("test \"t\" {\n  size 3\n  expect accept\n  expect reject\n}")
        #expect(report.results.first?.failures.map(\.line) == [4])
    }
}
