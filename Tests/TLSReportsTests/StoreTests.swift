import Foundation
import NetworkAddress
import SMTPClient
@testable import TLSReports
import Testing

/// RFC 8460 §4.
@Suite final class StoreTests {
    let path = NSTemporaryDirectory() + "/tlsrpt-\(UUID().uuidString).sqlite"

    deinit { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }

    func store(at seconds: Double = 1_795_500_000) throws -> TLSReportStore {
        var options = TLSReportStore.Options()
        options.flushInterval = nil
        options.now = { Date(timeIntervalSince1970: seconds) }
        return try TLSReportStore(path: path, options: options)
    }

    func seen(_ failure: TLSFailureKind? = nil, _ source: TLSDemand.Source = .sts) throws -> TLSObservation {
        TLSObservation(domain: try #require(DomainName("d.test")), source: source, policyLines: ["version: STSv1", "mode: testing"], mxPatterns: ["*.d.test"],
                       failure: failure, reason: failure == nil ? "" : "it is over", mxHost: "mx.d.test", address: IPAddress("192.0.2.1"))
    }

    @Test func sessionsThatWentAlikeAreCountedTogether() throws {
        let store = try store()
        for _ in 0..<3 { store.observe(try seen()) }
        try store.flush()
        for _ in 0..<2 { store.observe(try seen()) }
        store.observe(try seen(.expired))
        store.close()
        let rows = try TLSReportStore.rows(path: path, from: "2026-01-01")
        #expect(rows.map(\.sessions) == [5, 1])
        #expect(rows.map(\.result) == ["", "certificate-expired"])
        #expect(rows.map(\.mxHost) == ["", "mx.d.test"])
        #expect(rows.allSatisfy { $0.day == "2026-11-24" && $0.domain == "d.test" && $0.policyType == "sts" })
        #expect(try TLSReportStore.rows(path: path, from: "2026-11-25").isEmpty)
        #expect(try TLSReportStore.rows(path: path, from: "2026-11-24", domain: "e.test").isEmpty)
    }

    @Test func oldDaysGo() throws {
        let old = try store(at: 1_795_500_000 - 40 * 86_400)
        old.observe(try seen())
        old.close()
        let new = try store()
        new.observe(try seen())
        new.close()
        #expect(try TLSReportStore.rows(path: path, from: "2020-01-01").map(\.day) == ["2026-11-24"])
    }

    @Test func theReportHasTheStandardsShape() throws {
        let store = try store()
        store.observe(try seen())
        store.observe(try seen(.hostMismatch))
        store.observe(try seen(nil, .tlsa))
        store.close()
        let report = TLSReport(try TLSReportStore.rows(path: path, from: "2026-11-24"), day: "2026-11-24", domain: "d.test", organization: "us.test", contact: "postmaster@us.test")
        let made = try #require(JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
        #expect(made["organization-name"] as? String == "us.test" && made["contact-info"] as? String == "postmaster@us.test")
        #expect((made["date-range"] as? [String: String]) == ["start-datetime": "2026-11-24T00:00:00Z", "end-datetime": "2026-11-24T23:59:59Z"])
        let policies = try #require(made["policies"] as? [[String: Any]])
        #expect(policies.count == 2)
        let sts = try #require(policies.first { ($0["policy"] as? [String: Any])?["policy-type"] as? String == "sts" })
        #expect((sts["policy"] as? [String: Any])?["policy-string"] as? [String] == ["version: STSv1", "mode: testing"])
        #expect((sts["policy"] as? [String: Any])?["mx-host"] as? [String] == ["*.d.test"])
        #expect((sts["summary"] as? [String: Int]) == ["total-successful-session-count": 1, "total-failure-session-count": 1])
        let failure = try #require((sts["failure-details"] as? [[String: Any]])?.first)
        #expect(failure["result-type"] as? String == "certificate-host-mismatch")
        #expect(failure["receiving-mx-hostname"] as? String == "mx.d.test" && failure["receiving-ip"] as? String == "192.0.2.1")
        #expect(failure["failed-session-count"] as? Int == 1)
    }
}
