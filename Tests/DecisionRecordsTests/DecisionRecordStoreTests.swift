@testable import DecisionRecords
import Foundation
import GRDB
import Synchronization
import Testing

/// Records: kept, found by each of their ids, bounded, removed in steps when old, never slower for their number.
@Suite struct DecisionRecordStoreTests {
    private static let start = 1_700_000_000_000

    private func with(_ change: (inout DecisionRecordStore.Options) -> Void = { _ in }, _ body: (DecisionRecordStore, String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "decisions-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var options = DecisionRecordStore.Options()
        options.flushInterval = nil
        options.now = { Self.start }
        change(&options)
        let store = try DecisionRecordStore(path: folder + "/decisions.sqlite", options: options)
        defer { store.close() }
        try body(store, folder + "/decisions.sqlite")
    }

    private func record(_ id: String, time: Int = start, messageID: String? = nil, mtaID: String? = nil) -> StoredDecision {
        var record = DecisionRecord(id: id, time: time, client: .init(listener: "smtp", address: "192.0.2.1", helo: "h"),
                                    envelope: .init(sender: "a@x.example", recipients: [.init("b@home.example")]), verdict: .init(.accepted, reply: "250 2.0.0 Ok"))
        record.messageID = messageID
        record.mtaID = mtaID
        return StoredDecision(record, header: Array("Subject: \(id)\r\n".utf8))
    }

    private func add(_ store: DecisionRecordStore, _ stored: StoredDecision) { store.record(stored) }

    @Test func aRecordIsFoundByEachOfItsIDs() throws {
        try with { store, path in
            let one = record("2KX", messageID: "m1@x.example", mtaID: "4XyZ")
            add(store, one)
            add(store, record("2KY", messageID: "m2@x.example"))
            try store.flush()
            let archive = try DecisionArchive(path: path)
            for id in ["2KX", "<m1@x.example>", "m1@x.example", "4XyZ", "2KX.local", "2KX.0"] { #expect(try archive.find(id) == [one], "\(id)") }
            #expect(try archive.find("2KZ").isEmpty)
        }
    }

    @Test func severalOfOneMessageIDAreListedTheLatestFirst() throws {
        try with { store, path in
            for number in 0..<30 { add(store, record("A\(number)", time: Self.start + number, messageID: "same@x.example")) }
            try store.flush()
            let found = try DecisionArchive(path: path).find("<same@x.example>")
            #expect(found.map(\.record.id) == (10..<30).reversed().map { "A\($0)" })
        }
    }

    /// A Message-ID is looked for in each part of the time, as far back as records are kept.
    @Test func aMessageIDIsFoundHoweverOldItIs() throws {
        try with { store, path in
            for day in 0..<40 { add(store, record("D\(day)", time: Self.start + day * 86_400_000, messageID: "same@x.example")) }
            add(store, record("E", time: Self.start + 40 * 86_400_000, messageID: "other@x.example"))
            try store.flush()
            let archive = try DecisionArchive(path: path)
            #expect(try archive.find("<same@x.example>", limit: 100).map(\.record.id) == (0..<40).reversed().map { "D\($0)" })
            #expect(try archive.find("<other@x.example>").map(\.record.id) == ["E"])
        }
    }

    /// Places grow even when the clock is set back; each record is found and walked over all the same.
    @Test func aClockThatIsSetBackLosesNothing() throws {
        try with { store, path in
            for (number, time) in [Self.start, Self.start - 5000, Self.start - 5000, Self.start + 1].enumerated() {
                add(store, record("A\(number)", time: time, messageID: "\(number)@x.example"))
                try store.flush()
            }
            let archive = try DecisionArchive(path: path)
            for number in 0..<4 { #expect(try archive.find("\(number)@x.example").count == 1) }
            #expect(try archive.count(since: 0) == 4)
        }
    }

    /// Whoever sends a Message-ID that has the hash of another's must not be taken for it.
    @Test func aHashIsNotTakenForTheID() throws {
        try with { store, path in
            add(store, record("A", messageID: "one@x.example"))
            try store.flush()
            let database = try DatabaseQueue(path: path)
            try database.write { try $0.execute(sql: "UPDATE record SET message_key = ?", arguments: [MessageKey.make("two@x.example", in: Self.start)]) }
            #expect(try DecisionArchive(path: path).find("<two@x.example>").isEmpty)
        }
    }

    @Test func theFileIsForItsOwnerOnly() throws {
        try with { store, path in
            add(store, record("A"))
            try store.flush()
            for suffix in ["", "-wal", "-shm"] {
                let mode = try FileManager.default.attributesOfItem(atPath: path + suffix)[.posixPermissions] as? Int
                #expect(mode == 0o600, "\(suffix)")
            }
        }
    }

    /// Also a file that somebody opened up.
    @Test func anOpenFileIsClosedToOthers() throws {
        let path = NSTemporaryDirectory() + "decisions-\(UUID().uuidString).sqlite"
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o644])
        try DecisionRecordStore(path: path).close()
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
    }

    @Test func closingWritesWhatWaits() throws {
        try with { store, path in
            add(store, record("A"))
            store.close()
            let found = try DecisionArchive(path: path).find("A")
            #expect(found.count == 1)
            add(store, record("B"))
        }
    }

    /// Loss is counted, told once, and never waits.
    @Test func whatTheBufferHasNoRoomForIsLostAndTold() throws {
        let told = Mutex<[String]>([])
        try with({ options in
            options.bufferLimit = 3
            options.report = { text in told.withLock { $0.append(text) } }
        }) { store, path in
            for number in 0..<5 { add(store, record("A\(number)")) }
            try store.flush()
            for number in 5..<10 { add(store, record("A\(number)")) }
            try store.flush()
            #expect(told.withLock { $0.count } == 1)
            #expect(told.withLock { $0.first?.contains("2 records were lost") } == true)
            #expect(try DecisionArchive(path: path).count(since: 0) == 6)
        }
    }

    @Test func theBufferIsBoundedInOctetsToo() throws {
        // Each weighs some 4 KiB beside its header.
        try with({ $0.bufferOctets = 10_000 }) { store, path in
            for number in 0..<3 { store.record(StoredDecision(record("A\(number)").record, header: Array(repeating: 97, count: 4000))) }
            try store.flush()
            #expect(try DecisionArchive(path: path).count(since: 0) == 1)
        }
    }

    @Test func theOldGoInSteps() throws {
        let now = Mutex(Self.start)
        try with({ options in
            options.keep = .seconds(100)
            options.purgeStep = 10
            options.now = { now.withLock { $0 } }
        }) { store, path in
            for number in 0..<25 { add(store, record("A\(number)", time: Self.start + number)) }
            for number in 0..<5 { store.record(DeliveryRecord(queueID: "A\(number)", recipient: "b@x.example", outcome: .delivered, time: Self.start, status: "2.0.0", text: "ok")) }
            try store.flush()
            now.withLock { $0 += 200_000 }
            let archive = try DecisionArchive(path: path)
            var left: [Int] = []
            for _ in 0..<4 {
                try store.flush()
                left.append(try archive.count(since: 0))
            }
            #expect(left == [15, 5, 0, 0])
            #expect(try archive.deliveries(of: "A0").isEmpty)
        }
    }

    @Test func theYoungStay() throws {
        try with({ $0.keep = .seconds(100) }) { store, path in
            add(store, record("old", time: Self.start - 100_001))
            add(store, record("young", time: Self.start - 99_999))
            try store.flush()
            let archive = try DecisionArchive(path: path)
            #expect(try archive.find("young").count == 1)
            #expect(try archive.find("old").isEmpty)
        }
    }

    /// Five days of attempts take one row.
    @Test func attemptsAreCountedAndTheLastIsTold() throws {
        try with { store, path in
            for attempt in 0..<50 {
                store.record(DeliveryRecord(queueID: "A", recipient: "b@x.example", outcome: .deferred, time: Self.start + attempt, status: "4.3.0", text: "try \(attempt)", host: "mx"))
                try store.flush()
            }
            store.record(DeliveryRecord(queueID: "A.local", recipient: "c@home.example", outcome: .delivered, time: Self.start, status: "2.0.0", text: "stored", file: "/new/1"))
            store.close()
            let all = try DecisionArchive(path: path).deliveries(of: "A")
            #expect(all.map(\.recipient) == ["b@x.example", "c@home.example"])
            #expect(all.first?.attempts == 50)
            #expect(all.first?.text == "try 49")
        }
    }

    @Test func aWalkSeesEachOnceInOrder() throws {
        try with { store, path in
            for number in 0..<450 { add(store, record("A\(number)", time: Self.start + number / 3)) }
            try store.flush()
            var walk = try DecisionArchive(path: path).walk(since: Self.start + 10)
            var seen: [String] = []
            while let page = try walk.next() { seen += page.map(\.record.id) }
            #expect(seen == (30..<450).map { "A\($0)" })
        }
    }

    /// A million records are as quick as ten only when every statement goes by an index.
    @Test(arguments: [
        (DecisionDatabase.byID, ["x", "1"], "record_id"), (DecisionDatabase.byMTAID, ["x", "1"], "record_mta_id"),
        (DecisionDatabase.byMessageKey, ["1", "1"], "record_message"), (DecisionDatabase.page, ["1", "1"], "PRIMARY KEY"),
        (DecisionDatabase.purgeRecords, ["1", "1"], "PRIMARY KEY"), (DecisionDatabase.lastPlace, [], ""), (DecisionDatabase.firstPlace, [], ""), (DecisionDatabase.purgeDeliveries, ["1", "1"], "delivery_time"),
        (DecisionDatabase.deliveriesOf, ["x", "1"], "PRIMARY KEY"), (DecisionDatabase.upsertDelivery, ["a", "b", "1", "d"], ""),
    ])
    func eachStatementGoesByAnIndex(_ sql: String, _ arguments: [String], _ index: String) throws {
        try with { _, path in
            let plan = try DatabaseQueue(path: path).read { db in
                try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql, arguments: StatementArguments(arguments)).map { $0["detail"] as String }
            }
            #expect(!plan.contains { $0.hasPrefix("SCAN") && !$0.contains("CONSTANT") }, "\(plan)")
            #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
            #expect(index.isEmpty || plan.contains { $0.contains(index) }, "\(plan)")
        }
    }
}
