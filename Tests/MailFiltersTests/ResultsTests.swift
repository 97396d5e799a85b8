import DMARC
import InternetMessage
import Milter
import Testing
@testable import MailFilters

/// Authentication-Results: ours alone in our name (RFC 8601 §5), and nothing in it that others should not know.
@Suite struct ResultsTests {
    private func remaining(_ header: String) async -> [String] {
        var message = transaction(header)
        _ = await ForgedResultsFilter(authservID: "mx.home.example").endOfMessage(&message)
        return message.message.header.all("Authentication-Results").map(\.value)
    }

    @Test func forgeriesInOurNameAreRemoved() async {
        let header = [
            "Authentication-Results: mx.home.example; spf=pass", "Subject: x", "authentication-results: MX.Home.Example 1; dkim=pass header.d=bank.example",
            "Authentication-Results: other.example; spf=pass smtp.mailfrom=a.example", "Authentication-Results: (hidden) mx.home.example; dmarc=pass",
            "Authentication-Results:\r\n mx.home.example;\r\n dmarc=pass",
        ].joined(separator: "\r\n")
        #expect(await remaining(header) == ["other.example; spf=pass smtp.mailfrom=a.example"])
    }

    /// A lenient reader might take it for ours.
    @Test func whatDoesNotParseGoesToo() async {
        #expect(await remaining("Authentication-Results: mx.home.example dmarc=pass\r\nAuthentication-Results: ;;;").isEmpty)
    }

    @Test func removalIsToldToAForeignMTAFromTheLastToTheFirst() async {
        var message = transaction("Authentication-Results: mx.home.example; a=pass\r\nAuthentication-Results: mx.home.example; b=pass")
        _ = await ForgedResultsFilter(authservID: "mx.home.example").endOfMessage(&message)
        let occurrences = message.modifications.compactMap { change -> Int? in
            if case .changeHeader(_, let occurrence, nil) = change { occurrence } else { nil }
        }
        #expect(occurrences == [2, 1])
    }

    /// Who logged in, from where, is nobody's business but ours.
    @Test func ourOwnMailRevealsNothing() async throws {
        var message = transaction("From: alice@home.example", account: "alice@home.example", to: ["x@away.example"])
        _ = await ResultsHeaderFilter(authservID: "mx.home.example").endOfMessage(&message)
        let field = try #require(message.message.header.first("Authentication-Results"))
        #expect(field.value == "mx.home.example;\tauth=pass")
    }

    @Test func unverifiedMailOfOwnNetworksClaimsNothing() async {
        var message = transaction("From: alice@home.example", own: true)
        _ = await ResultsHeaderFilter(authservID: "mx.home.example").endOfMessage(&message)
        #expect(message.message.header.count(of: "Authentication-Results") == 0)
    }

    @Test func aStrangersMailWithoutResultsSaysSo() async throws {
        var message = transaction("Received: x\r\nFrom: a@a.example")
        message[DKIMKey.self] = []
        _ = await ResultsHeaderFilter(authservID: "mx.home.example").endOfMessage(&message)
        // A trace field stands above all others (RFC 8601 §4).
        #expect(message.message.header.fields.first?.value == "mx.home.example;\tdkim=none")
    }
}
