import InternetMessage
@testable import MailFilters
import Milter
import Testing

/// Nobody else's Authentication-Results in our name survive (RFC 8601 §5).
@Suite struct ForgedResultsTests {
    static let forgeries = [
        "mx.home.example; spf=pass smtp.mailfrom=ann@honest.example",
        "MX.Home.Example; dkim=pass",
        "mx.home.example.; dmarc=pass",
        "mx.home.example 1; dmarc=pass",
        "\"mx.home.example\"; dmarc=pass",
        "(see here) mx.home.example (really); dmarc=pass",
        "\r\n mx.home.example;\r\n dmarc=pass",
        "mx.home.example/1; dmarc=pass",
        "mx.home.example",
        "",
    ]

    @Test(arguments: forgeries) func removed(_ value: String) async throws {
        try await House.with { house in
            let header = "Authentication-Results: \(value)\r\nauthentication-RESULTS: \(value)\r\n" + Letter().header
            let journey = try await house.send(Letter(header: header))
            let left = journey.transaction.message.header.all(AuthenticationResults.fieldName)
            #expect(left.count == 1)
            #expect(journey.results?.results.isEmpty == false)
        }
    }

    @Test func othersStay() async throws {
        try await House.with { house in
            let header = "Authentication-Results: mx.other.example; spf=pass\r\nAuthentication-Results: mx.home.example; spf=pass\r\n"
                + "Authentication-Results: notmx.home.example; spf=pass\r\n" + Letter().header
            let journey = try await house.send(Letter(header: header))
            let left = journey.transaction.message.header.all(AuthenticationResults.fieldName).compactMap { AuthenticationResults($0)?.authservID }
            #expect(left == ["mx.home.example", "mx.other.example", "notmx.home.example"])
        }
    }
}
