import Testing

/// SPF, DKIM, DMARC and the ledger are the real ones, over the test's own DNS.
@Suite struct AuthenticationTests {
    static let dns = """
        dns \"""
          bank.example TXT "v=spf1 ip4:192.0.2.1 -all"
          _dmarc.bank.example TXT "v=DMARC1; p=reject"
        \"""
        """

    @Test func recordsOfTheTestAreAllThereIs() async throws {
        let test = "sender \"a@bank.example\"\n\(Self.dns)\n"
        #expect(try await failures("client 192.0.2.1\n" + test + "expect that spf.result == pass and dmarc.result == pass").isEmpty)
        #expect(try await failures("client 192.0.2.7\n" + test + "expect that spf.result == fail and dmarc.result == fail and dmarc.policy == reject").isEmpty)
        #expect(try await failures("sender \"a@bank.example\" expect that spf.result == none and dmarc.result == none").isEmpty)
    }

    @Test func aFailingNameIsATemporaryError() async throws {
        #expect(try await failures("sender \"a@bank.example\" dns fails \"bank.example\", \"_dmarc.bank.example\" expect that spf.result == temperror and dmarc.result == temperror").isEmpty)
    }

    @Test func aSignatureIsMadeAndPublished() async throws {
        let test = "sender \"a@bounce.example\"\nmessage \"\"\"\n  From: a@bank.example\n\n  text\n  \"\"\"\ndkim signed by \"bank.example\" selector \"s9\"\n\(Self.dns)\n"
        #expect(try await failures(test + "expect that dkim.domains contains \"bank.example\" and dmarc.result == pass and header[\"DKIM-Signature\"] contains \"s=s9\"").isEmpty)
    }

    @Test func theTestsOwnKeyRecordStands() async throws {
        let revoked = "dkim signed by \"bank.example\" dns \"\"\"\n test._domainkey.bank.example TXT \"v=DKIM1; p=\"\n \"\"\"\n"
        #expect(try await failures(revoked + "expect that dkim.domains == missing and header[\"DKIM-Signature\"] != missing").isEmpty)
    }

    @Test func ourOwnUsersAreNotChecked() async throws {
        #expect(try await failures("account \"alice\" sender \"alice@example.org\" expect that account == \"alice\" and listener == \"submission\" and tls.version == TLSv1.3 and spf.result == missing").isEmpty)
        #expect(try await failures("client 10.0.0.1 own expect that client.own and spf.result == missing").isEmpty)
    }

    @Test func tagsLiveInALedgerOfTheTest() async throws {
        let shop = "client 192.0.2.1 sender \"a@bank.example\" recipient \"alice+bank@example.org\"\n\(Self.dns)\n"
        #expect(try await failures(shop + "expect that tag.status == new").isEmpty)
        #expect(try await failures(shop + "tag \"alice+bank@example.org\" owned by \"bank.example\" expect that tag.status == match").isEmpty)
        #expect(try await failures(shop + "tag \"Alice+Bank@example.org\" owned by \"other.example\", \"more.example\" expect that tag.status == leaked expect keyword \"$Leaked\"").isEmpty)
        #expect(try await failures(shop + "tag \"alice+bank@example.org\" blocked expect that tag.status == blocked").isEmpty)
        #expect(try await failures(shop + "local \"example.net\" expect that tag.status == missing").isEmpty)
    }

    @Test func timeIsTheTestsOwn() async throws {
        #expect(try await failures("expect that header[\"Date\"] contains \"1 Jan 2026 12:00:00\"").isEmpty)
        #expect(try await failures("time \"2031-07-05T06:00:00Z\" expect that header[\"Date\"] contains \"5 Jul 2031 06:00:00\"").isEmpty)
    }
}
