import InternetMessage
@testable import MailFilters
import NetworkAddress
import SPF
import Testing

/// What was found of a HELO name stands for the connection's other messages: of the same client and name, for a minute.
@Suite struct HeloCheckTests {
    private func result(_ verdict: SPFVerdict) -> SPFResult {
        SPFResult(verdict: verdict, identity: .helo, domainText: "mx.example", domain: DomainName("mx.example"), match: nil, explanation: nil,
                  reason: "", record: nil, lookups: [])
    }

    @Test func itStandsForTheSameClientAndName() throws {
        let client = try #require(IPAddress("192.0.2.1")), other = try #require(IPAddress("192.0.2.2"))
        let check = HeloCheck()
        #expect(check.result(client, "mx.example") == nil)
        check.note(result(.pass), client, "mx.example")
        #expect(check.result(client, "mx.example")?.verdict == .pass)
        #expect(check.result(other, "mx.example") == nil)
        #expect(check.result(client, "mx2.example") == nil)
        check.note(result(.fail), client, "mx2.example")
        #expect(check.result(client, "mx2.example")?.verdict == .fail)
        #expect(check.result(client, "mx.example") == nil)
    }

    @Test func itGrowsOld() throws {
        let client = try #require(IPAddress("192.0.2.1")), begun = ContinuousClock.now
        let check = HeloCheck()
        check.note(result(.pass), client, "mx.example", now: begun)
        #expect(check.result(client, "mx.example", now: begun + .seconds(59)) != nil)
        #expect(check.result(client, "mx.example", now: begun + HeloCheck.lifetime) == nil)
    }

    @Test func whatCouldNotBeDecidedIsAskedForAgain() throws {
        let client = try #require(IPAddress("192.0.2.1"))
        let check = HeloCheck()
        check.note(result(.temperror), client, "mx.example")
        #expect(check.result(client, "mx.example") == nil)
    }
}
