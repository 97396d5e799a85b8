import Testing

/// What rules look up is looked up in tests too: in the test's DNS, time, and what came before.
@Suite struct LookupTests {
    @Test func listsAndSendersDomainsAreAskedInTheTestsDNS() async throws {
        let lists = "dnsbl \"spam\" { \"bl.example\" weight 3 }\n"
        let dns = "client 192.0.2.7 sender \"a@b.example\" dns \"\"\"\n 7.2.0.192.bl.example A 127.0.0.2\n b.example MX 10 mx.b.example\n\"\"\"\n"
        #expect(try await failures(dns + "expect that dnsbl[\"spam\"] == 3 and sender.mx == mx", rules: lists).isEmpty)
        #expect(try await failures("client 192.0.2.8 sender \"a@c.example\" expect that dnsbl[\"spam\"] == 0 and sender.mx == none", rules: lists).isEmpty)
    }

    @Test func ratesCountWhatCameEarlier() async throws {
        let rules = "stage mail rule \"r\" when rate(client.ip, 1h) > 3 then tempfail 450 \"4.7.1\" \"{client.ip}\"\n"
        #expect(try await failures("earlier 10m times 2 expect accept", rules: rules).isEmpty)
        #expect(try await failures("earlier 10m times 3 expect mail tempfail 450 \"192.0.2.1\"", rules: rules).isEmpty)
        #expect(try await failures("earlier 3h times 9 expect accept", rules: rules).isEmpty)
    }

    @Test func theGreylistRemembersWhatCameEarlier() async throws {
        let rules = "stage rcpt rule \"g\" then greylist delay 5m\n"
        #expect(try await failures("expect rcpt tempfail 451", rules: rules).isEmpty)
        #expect(try await failures("earlier 4m expect rcpt tempfail", rules: rules).isEmpty)
        #expect(try await failures("earlier 6m expect accept", rules: rules).isEmpty)
    }

    @Test func oursAndTheAccountsAddresses() async throws {
        #expect(try await failures("sender \"a@example.org\" recipient \"b@example.org\" expect that sender.own and from.own").isEmpty)
        #expect(try await failures("sender \"a@example.org\" recipient \"b@example.net\" expect that not sender.own").isEmpty)
        #expect(try await failures("account \"a\" owns \"a@example.org\" sender \"a+x@example.org\" expect that sender.allowed and not sender.own").isEmpty)
        #expect(try await failures("account \"a\" owns \"a@example.org\" sender \"b@example.org\" expect that sender.allowed == false").isEmpty)
    }

    @Test func ageIsCountedFromTheTestsTime() async throws {
        let message = "message \"\"\"\n From: a@b.example\n Date: Thu, 1 Jan 2026 10:00:00 +0000\n\n text\n\"\"\"\n"
        #expect(try await failures(message + "expect that message.age == 2h").isEmpty)
        #expect(try await failures(message + "time \"2026-01-03T10:00:00Z\" expect that message.age == 2d").isEmpty)
    }

    @Test func recipientsAsRulesChangedThem() async throws {
        let rules = "stage rcpt rule \"r\" when recipient == \"old@example.org\" then change recipient to \"new@example.org\"\n"
            + "stage message rule \"c\" then copy to \"archive@example.org\"\n"
        let test = "recipient \"old@example.org\", \"b@example.org\" expect delivered to \"new@example.org\" expect not delivered to \"old@example.org\" "
            + "expect delivered to \"archive@example.org\" expect action change recipient to \"new@example.org\" expect action copy to \"archive@example.org\""
        #expect(try await failures(test, rules: rules).isEmpty)
    }
}
