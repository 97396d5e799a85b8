import DMARC
import Diagnostics
import Foundation
import InternetMessage
import NetworkAddress
import PosternTesting
import SPF
import Testing

@Suite struct SPFReportTests {
    private func report(_ zone: String, client: String = "192.0.2.1") async throws -> SPFReport {
        let spf = SPFEvaluator(resolver: try ZoneResolver(zone), receiverName: "mx.example")
        let address = try #require(IPAddress(client))
        return SPFReport(await spf.check(client: address, helo: "h.example", sender: EmailAddress("a@example.org")))
    }

    @Test func firstTheResultThenTheMechanism() async throws {
        let text = try await report("example.org. TXT \"v=spf1 ?ip4:192.0.2.0/24 -all\"").text(explains: false)
        #expect(text.hasPrefix("neutral ?ip4:192.0.2.0/24\n"))
        #expect(!text.contains("lookup"))
    }

    @Test func withoutAMechanismTheResultStandsAlone() async throws {
        #expect(try await report("example.org. TXT \"v=spf1\"").text(explains: false).hasPrefix("neutral\n"))
        #expect(try await report("").text(explains: false).hasPrefix("none\n"))
    }

    @Test func explainShowsLookupsAndTheOwnersWords() async throws {
        let zone = "example.org. TXT \"v=spf1 a -all exp=why.example.org\"\nwhy.example.org. TXT \"go away %{i}\"\nexample.org. A 192.0.2.7"
        let text = try await report(zone).text(explains: true)
        #expect(text.hasPrefix("fail -all\n"))
        #expect(text.contains("example.org A: 192.0.2.7"))
        #expect(text.contains("go away 192.0.2.1"))
    }

    @Test func strangersWordsCannotMakeLines() async throws {
        let spf = SPFEvaluator(resolver: try ZoneResolver(""), receiverName: "mx.example")
        let result = await spf.checkHost(client: .v4Loopback, domain: "x\u{1b}[2J\npass", localPart: "", helo: "", identity: .mailfrom)
        let text = SPFReport(result).text(explains: true)
        #expect(text.hasPrefix("none\n"))
        #expect(!text.contains("\u{1b}") && !text.contains("\npass"))
    }

    @Test func jsonHasTheFields() async throws {
        let text = try ReportJSON.text(try await report("example.org. TXT \"v=spf1 +all\""))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(object["result"] as? String == "pass")
        #expect(object["mechanism"] as? String == "+all")
        #expect(object["mechanism_domain"] as? String == "example.org")
        #expect((object["lookups"] as? [[String: String]])?.first?["type"] == "TXT")
    }
}

@Suite struct DMARCDiscoveryReportTests {
    private func text(_ domain: String, _ zone: String, failing: [String] = []) async throws -> String {
        let evaluator = DMARCEvaluator(resolver: try ZoneResolver(zone, failing: failing))
        return DMARCDiscoveryReport(await evaluator.discover(try #require(DomainName(domain)))).text
    }

    @Test func thePolicyIsTheFirstWord() async throws {
        let zone = "_dmarc.example.org. TXT \"v=DMARC1; p=reject; sp=quarantine; adkim=s\"\na.example.org. A 192.0.2.1"
        let own = try await text("example.org", zone), below = try await text("a.example.org", zone)
        #expect(own.hasPrefix("reject for mail from example.org\n"))
        #expect(own.contains("p=reject") && own.contains("SPF relaxed, DKIM strict"))
        #expect(below.hasPrefix("quarantine for mail from a.example.org\n"))
        #expect(below.contains("_dmarc.a.example.org: no record"))
    }

    @Test func testingIsSaid() async throws {
        let found = try await text("example.org", "_dmarc.example.org. TXT \"v=DMARC1; p=reject; t=y\"")
        #expect(found.hasPrefix("quarantine "))
        #expect(found.contains("p=reject, made quarantine by t=y"))
    }

    @Test func nothingAndFailuresHaveWordsOfTheirOwn() async throws {
        #expect(try await text("example.org", "").hasPrefix("no-record "))
        #expect(try await text("example.org", "", failing: ["_dmarc.example.org"]).hasPrefix("temperror "))
    }
}
