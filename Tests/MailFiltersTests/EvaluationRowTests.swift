import DMARC
import InternetMessage
@testable import MailFilters
import Milter
import Synchronization
import Testing

/// The row that each evaluated message leaves (RFC 9990 §3.1).
@Suite struct EvaluationRowTests {
    private final class Rows: DMARCEvaluationRecorder {
        let all = Mutex<[DMARCEvaluationRecord]>([])
        func record(_ evaluation: DMARCEvaluationRecord) { all.withLock { $0.append(evaluation) } }
    }

    private func row(_ letter: Letter, zone: String = House.zone, timeouts: [String] = []) async throws -> DMARCEvaluationRecord? {
        let rows = Rows()
        try await House.with(zone, timeouts: timeouts, recorder: rows) { house in _ = try await house.send(letter) }
        let all = rows.all.withLock { $0 }
        #expect(all.count <= 1)
        return all.first
    }

    private static func forged(_ domain: String) -> Letter {
        Letter(client: "198.51.100.9", helo: "evil.example", sender: "e@evil.example", header: "From: x@\(domain)\r\nSubject: x\r\n")
    }

    @Test func honestMail() async throws {
        let row = try #require(try await row(Letter(isSigned: true)))
        #expect(row.source == "192.0.2.1")
        #expect((row.headerFrom, row.envelopeFrom, row.envelopeTo) == ("honest.example", "honest.example", "home.example"))
        #expect((row.result, row.disposition, row.override) == ("pass", .pass, nil))
        #expect(row.dkimAligned && row.spfAligned)
        #expect(row.dkim.map(\.selector) == ["s1"] && row.dkim.map(\.result) == ["pass"])
        #expect(row.spf.map(\.scope) == [.mfrom] && row.spf.map(\.result) == ["pass"])
        #expect(row.policy?.domain == "honest.example" && row.policy?.p == "reject")
    }

    @Test func refusedMailIsCountedAsRejected() async throws {
        let row = try #require(try await row(Self.forged("honest.example")))
        #expect((row.result, row.disposition, row.override) == ("fail", .reject, nil))
        #expect(!row.dkimAligned && !row.spfAligned)
    }

    @Test func junkIsQuarantine() async throws { #expect(try await row(Self.forged("shop.example"))?.disposition == .quarantine) }

    @Test func testModeIsAnOverride() async throws {
        let zone = House.zone + "_dmarc.test.example. TXT \"v=DMARC1; p=reject; t=y\"\n"
        let row = try #require(try await row(Self.forged("test.example"), zone: zone))
        #expect((row.disposition, row.override) == (.quarantine, .testMode))
        #expect(row.policy?.isTesting == true && row.policy?.p == "reject")
    }

    @Test func aDomainWithoutPolicyLeavesARowToo() async throws {
        let row = try #require(try await row(Self.forged("none.example")))
        #expect(row.policy == nil)
        #expect((row.result, row.disposition) == ("none", .none))
    }

    @Test func theNullSender() async throws {
        let row = try #require(try await row(Letter(sender: "")))
        #expect(row.envelopeFrom == "")
        #expect(row.spf.map(\.scope) == [.helo])
    }

    @Test func ourOwnMailAndMailWithoutAuthorLeaveNone() async throws {
        #expect(try await row(Letter(isOwn: true)) == nil)
        #expect(try await row(Letter(header: "Subject: x\r\n")) == nil)
    }
}
