import DMARC
@testable import DMARCRecords
import Foundation
import InternetMessage
import NetworkAddress
import PosternTesting
import Synchronization
import Testing

/// Rows of evaluated messages: kept, summed up, bounded, removed when old.
@Suite struct RecordStoreTests {
    private static let start = 1_700_000_000

    private func with(_ change: (inout DMARCRecordStore.Options) -> Void = { _ in }, _ body: (DMARCRecordStore, String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "dmarc-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var options = DMARCRecordStore.Options()
        options.flushInterval = nil
        options.now = { Self.start }
        change(&options)
        let store = try DMARCRecordStore(path: folder + "/dmarc.sqlite", options: options)
        defer { store.close() }
        try await body(store, folder + "/dmarc.sqlite")
    }

    private func row(_ source: String = "192.0.2.1", passes: Bool = true, time: Int = start, disposition: DMARCEvaluationRecord.Disposition = .pass) async throws -> DMARCEvaluationRecord {
        let dns = try ZoneResolver("_dmarc.example.org. TXT \"v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; t=y; fo=1\"")
        let from = HeaderField(name: "From", value: "a@example.org"), domain = try #require(DomainName("example.org"))
        let result = await DMARCEvaluator(resolver: dns).evaluate(fromFields: [from], spf: passes ? domain : nil, dkim: [])
        return DMARCEvaluationRecord(
            time: time, source: try #require(IPAddress(source)), headerFrom: domain, envelopeFrom: "example.org", envelopeTo: "home.example", result: result,
            disposition: disposition, override: nil, dkim: [.init(domain: "x.example", selector: "s", result: "fail", reason: "body")],
            spf: [.init(domain: "example.org", scope: .mfrom, result: passes ? "pass" : "fail", reason: nil)])
    }

    @Test func aRowComesBackAsItWas() async throws {
        let row = try await row("::ffff:192.0.2.1")
        try await with { store, _ in
            store.record(row)
            #expect(try store.rows().isEmpty)
            try store.flush()
            #expect(try store.rows() == [row])
        }
        #expect(row.source == "192.0.2.1")
        #expect(row.spfAligned && !row.dkimAligned)
        let policy = try #require(row.policy)
        #expect((policy.p, policy.sp, policy.np) == ("reject", "quarantine", "none"))
        #expect((policy.adkim, policy.aspf, policy.isTesting, policy.fo) == ("s", "r", true, "1"))
    }

    @Test func closingWritesWhatWaits() async throws {
        let row = try await row()
        try await with { store, path in
            store.record(row)
            store.close()
            let found = try DMARCRecordStore.summaries(path: path, since: 0)
            #expect(found.map(\.messages) == [1])
            store.record(row)
            store.close()
        }
    }

    @Test func summaries() async throws {
        let (good, bad) = (try await row(), try await row("2001:db8::9", passes: false, time: Self.start + 5, disposition: .reject))
        try await with { store, path in
            for row in [good, good, good, bad] { store.record(row) }
            try store.flush()
            let found = try DMARCRecordStore.summaries(path: path, since: 0)
            #expect(found.map(\.source) == ["192.0.2.1", "2001:db8::9"])
            #expect(found.map(\.messages) == [3, 1])
            #expect(found.map(\.passed) == [3, 0])
            #expect(found.map(\.spfAligned) == [3, 0])
            #expect(found.map(\.rejected) == [0, 1])
            let late = try DMARCRecordStore.summaries(path: path, since: Self.start + 1)
            #expect(late.map(\.source) == ["2001:db8::9"])
        }
        let none = try DMARCRecordStore.summaries(path: "/nonexistent/dmarc.sqlite", since: 0)
        #expect(none.isEmpty)
    }

    @Test func theBufferIsBounded() async throws {
        let row = try await row()
        let said = Mutex<[String]>([])
        try await with({ options in
            options.bufferLimit = 2
            options.report = { text in said.withLock { $0.append(text) } }
        }) { store, _ in
            for _ in 0..<5 { store.record(row) }
            try store.flush()
            #expect(try store.rows().count == 2)
        }
        #expect(said.withLock { $0.first?.hasPrefix("3 rows were dropped") } == true)
    }

    @Test func oldRowsGo() async throws {
        let (old, young) = (try await row(time: Self.start - 101), try await row(time: Self.start - 99))
        try await with({ $0.keep = .seconds(100) }) { store, _ in
            store.record(old)
            store.record(young)
            try store.flush()
            #expect(try store.rows() == [young])
        }
    }

    @Test func aFolderThatIsNotThereIsAnError() {
        #expect(throws: DMARCRecordError.self) { try DMARCRecordStore(path: "/nonexistent/dmarc.sqlite") }
    }
}
