import Testing
@testable import PostfixImport

@Suite struct RestrictionTests {
    private func made(_ list: String, _ value: String, _ change: (inout Machine) -> Void = { _ in }) throws -> PostfixImport {
        var machine = Machine()
        machine.main[list] = value
        change(&machine)
        return try machine.imported()
    }

    @Test func theUsualListsAreBuiltIn() throws {
        let made = try made("smtpd_relay_restrictions", "permit_mynetworks permit_sasl_authenticated defer_unauth_destination")
        #expect(made.rules == nil)
        #expect(made.parameters.filter { $0.name.hasPrefix("smtpd_relay") }.map(\.fate) == [.isDefault, .isDefault, .isDefault])
    }

    @Test func whoIsPermittedFirstIsSpared() throws {
        let made = try made("smtpd_sender_restrictions", "permit_mynetworks, reject_unknown_sender_domain") {
            $0.overrides["submission/inet/smtpd_sender_restrictions"] = "permit_sasl_authenticated,reject"
            $0.overrides["smtps/inet/smtpd_sender_restrictions"] = "permit_sasl_authenticated,reject"
        }
        #expect(made.rules?.contains("when listener == smtp and not client.own and sender.mx in [none, null]") == true)
        #expect(made.fate("smtpd_sender_restrictions: reject") == .isDefault)
    }

    @Test func whatFollowsPermitIsNeverAsked() throws {
        let made = try made("smtpd_client_restrictions", "permit, reject_unknown_client_hostname")
        #expect(made.rules == nil)
        #expect(made.fate("smtpd_client_restrictions: reject_unknown_client_hostname") == .notNeeded)
    }

    @Test func listsOfTheDNS() throws {
        let made = try made("smtpd_recipient_restrictions", "permit_dnswl_client list.dnswl.org, reject_rbl_client zen.spamhaus.org=127.0.0.[2..11]")
        #expect(made.rules?.contains("dnsbl \"zen.spamhaus.org=127.0.0.[2..11]\" { \"zen.spamhaus.org\" for 127.0.0.2..127.0.0.11 }") == true)
        #expect(made.rules?.contains("dnsbl[\"list.dnswl.org\"] == 0 and dnsbl[\"zen.spamhaus.org=127.0.0.[2..11]\"] > 0") == true)
    }

    @Test func accessTables() throws {
        let made = try made("smtpd_client_restrictions", "check_client_access hash:/etc/postfix/clients") {
            $0.files["/etc/postfix/clients"] = "192.0.2.7 OK\n192.0.2 REJECT go away\nspam.example 550 5.7.9 no {thanks}\nodd.example FILTER smtp:x\n"
        }
        let rules = try #require(made.rules)
        #expect(rules.contains("client.ip in [192.0.2.0/24] and not client.ip in [192.0.2.7]\n  then reject 554 \"5.7.1\" \"go away\""))
        #expect(rules.contains("client.name in [\"spam.example\", \".spam.example\"] and not client.ip in [192.0.2.7]\n  then reject 550 \"5.7.9\" \"no \\{thanks\\}\""))
        let name = "smtpd_client_restrictions: check_client_access hash:/etc/postfix/clients"
        #expect(made.fate(name) == .notCarried)
        #expect(made.text(name).hasPrefix("/etc/postfix/clients:4: \"FILTER smtp:x\" has no counterpart"))
    }

    @Test func theServicesThatEverybodyRuns() throws {
        let made = try made("smtpd_recipient_restrictions", "check_policy_service unix:private/policyd-spf, check_policy_service inet:127.0.0.1:10023, check_policy_service inet:127.0.0.1:9998") {
            $0.policydSPF = "debugLevel = 1\nMail_From_reject = Softfail\nTempError_Defer = True\n"
        }
        let rules = try #require(made.rules)
        #expect(rules.contains("listener == smtp and spf.result in [fail, softfail]"))
        #expect(rules.contains("spf.result == temperror\n  then tempfail 451"))
        #expect(rules.contains("greylist delay 5m"))
        #expect(made.fate("smtpd_recipient_restrictions: check_policy_service inet:127.0.0.1:9998") == .notCarried)
    }

    @Test func classesAreOpened() throws {
        let made = try made("smtpd_recipient_restrictions", "strict") {
            $0.main["smtpd_restriction_classes"] = "strict"
            $0.main["strict"] = "reject_non_fqdn_sender, strict"
        }
        #expect(made.rules?.contains("not sender.domain matches /\\./") == true)
        #expect(made.fate("strict") == .notNeeded)
    }

    @Test func anUnknownWord() throws {
        #expect(try made("smtpd_client_restrictions", "reject_everybody_i_dislike").fate("smtpd_client_restrictions: reject_everybody_i_dislike") == .notUnderstood)
    }

    @Test func tlsOfStrangers() throws {
        let made = try made("smtpd_tls_security_level", "encrypt")
        #expect(made.rules?.contains("stage mail") == true)
        #expect(made.rules?.contains("when listener == smtp\n  then require tls") == true)
    }
}
