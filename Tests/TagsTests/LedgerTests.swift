import Foundation
import GRDB
import InternetMessage
import NetworkAddress
import StateFiles
@testable import Tags
import Testing

@Suite struct LedgerTests {
    let workshop: Workshop
    init() throws { workshop = try Workshop() }

    @Test func bindingsAreWrittenAtOnceCountersAtFlush() throws {
        let ledger = try workshop.ledger()
        _ = try ledger.verdict(tag("shop"), dmarc("shop.example"))
        // Another connection sees the bond before anything is flushed, as a restart after a kill would.
        let second = try workshop.ledger()
        #expect(try second.verdict(tag("shop"), dmarc("evil.example")).status == .leaked)
        #expect(try second.database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM sighting") } == 0)
        try ledger.flush()
        #expect(try second.database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM sighting") } == 1)
    }

    @Test func closeWritesAndEndsService() throws {
        let ledger = try workshop.ledger()
        for second in 0..<5 { _ = try ledger.verdict(tag("shop"), dmarc("shop.example"), "<\(second)>", after: Double(second)) }
        ledger.close()
        ledger.close()
        #expect(throws: TagLedgerError.closed) { try ledger.verdict(tag("shop"), dmarc("shop.example")) }
        #expect(throws: TagLedgerError.closed) { try ledger.list() }
        let sighting = try #require(try workshop.ledger().show(tag("shop"))?.sightings.first)
        #expect((sighting.count, sighting.first, sighting.last) == (5, start, start + 4))
        #expect(sighting.messageIDs == (0..<5).map { "<\($0)>" })
        #expect(sighting.method == .dmarc)
    }

    @Test func anotherProcessesChangeCounts() throws {
        let server = try workshop.ledger(), command = try workshop.ledger()
        _ = try server.verdict(tag("shop"), dmarc("shop.example"))
        #expect(try server.status(of: tag("shop")) == .known)
        try command.block(tag("shop"), at: start)
        #expect(try server.status(of: tag("shop")) == .blocked, "the cached entry was forgotten")
        try command.unblock(tag("shop"))
        try command.allow(tag("shop"), domain("mailer.example"), at: start)
        #expect(try server.verdict(tag("shop"), dmarc("mailer.example")).status == .match)
        try command.forget(tag("shop"))
        #expect(try server.status(of: tag("shop")) == .unknown)
    }

    @Test func twoProcessesBindOneTagOnce() throws {
        let one = try workshop.ledger { $0.refreshInterval = .seconds(3_600) }, two = try workshop.ledger { $0.refreshInterval = .seconds(3_600) }
        #expect(try two.status(of: tag("shop")) == .unknown, "cached as unknown")
        #expect(try one.verdict(tag("shop"), dmarc("shop.example")).status == .new)
        #expect(try two.verdict(tag("shop"), dmarc("evil.example")).status == .leaked, "the binding transaction looked again")
    }

    @Test func manyThreadsBindOneTagOnce() async throws {
        let ledger = try workshop.ledger(), shop = try tag("shop")
        let statuses = try await withThrowingTaskGroup(of: TagStatus.self) { group in
            for number in 0..<16 {
                let identity = try dmarc("d\(number).example")
                group.addTask { try ledger.verdict(shop, identity).status }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.filter { $0 == .new }.count == 1)
        #expect(statuses.filter { $0 == .leaked }.count == 15)
    }

    @Test func learningIsLimited() throws {
        let ledger = try workshop.ledger {
            $0.learning.perDomainAndDay = 3
            $0.learning.perBaseAndDay = 5
            $0.learning.perBase = 7
        }
        let evil = try dmarc("evil.example")
        let verdicts = try (0..<10).map { try ledger.verdict(tag("random\($0)"), evil) }
        #expect(verdicts.map(\.status) == Array(repeating: .new, count: 3) + Array(repeating: .unverified, count: 7))
        #expect(verdicts[9].owners.isEmpty && verdicts[9].explanation.contains("too many"))
        #expect(try (0..<5).map { try ledger.verdict(tag("other\($0)"), dmarc("d\($0).example")).status }.filter { $0 == .new }.count == 2, "five a day for the base")
        #expect(try ledger.verdict(tag("bobs", of: "bob@example.org"), evil).status == .new, "another base is not concerned")
        #expect(try ledger.verdict(tag("later"), evil, after: 90_000).status == .new, "the day is over")
        #expect(try ledger.verdict(tag("later2"), dmarc("x.example"), after: 90_000).status == .new)
        #expect(try ledger.verdict(tag("later3"), dmarc("y.example"), after: 200_000).status == .unverified, "seven altogether")
        try ledger.allow(tag("declared"), domain("shop.example"), at: start)
        #expect(try ledger.verdict(tag("declared"), dmarc("shop.example")).status == .match, "declared tags are not limited")
    }

    @Test func pendingCountersAreBounded() throws {
        let ledger = try workshop.ledger { $0.pendingLimit = 10 }
        try ledger.allow(tag("shop"), domain("shop.example"), at: start)
        for number in 0..<95 {
            _ = try ledger.verdict(tag("shop"), dmarc("d\(number).example"))
            #expect(ledger.state.withLock { $0.pending.counts.count } < 10)
        }
        #expect(try ledger.leaks(limit: 1_000).count == 95)
        #expect(try ledger.leaks(limit: 7).count == 7)
    }

    @Test func messageIDsAndDomainsAreBounded() throws {
        let ledger = try workshop.ledger()
        try ledger.allow(tag("shop"), domain("shop.example"), at: start)
        for number in 0..<50 {
            _ = try ledger.verdict(tag("shop"), dmarc("evil.example"), "<\(number)>", after: Double(number))
            if number % 7 == 0 { try ledger.flush() }
        }
        for number in 0..<(TagDatabase.sightingLimit + 50) { _ = try ledger.verdict(tag("shop"), dmarc("d\(number).example")) }
        let record = try #require(try ledger.show(tag("shop")))
        #expect(record.sightings.count == TagDatabase.sightingLimit)
        let evil = try #require(record.sightings.first { $0.domain?.text == "evil.example" })
        #expect(evil.count == 50)
        #expect(evil.messageIDs == (0..<20).map { "<\($0)>" })
    }

    @Test func leaksTellWhoHadItAndWhoUsedIt() throws {
        let ledger = try workshop.ledger()
        _ = try ledger.verdict(tag("shop"), dmarc("shop.example"))
        _ = try ledger.verdict(tag("shop"), SenderIdentity(), "<forged>")
        _ = try ledger.verdict(tag("shop"), SenderIdentity(domain("spam.example"), by: .spf), "<1@spam>", after: 10)
        _ = try ledger.verdict(tag("shop"), dmarc("junk.example"), "<2@junk>", after: 20)
        let leaks = try ledger.leaks()
        #expect(leaks.map(\.offender.domain?.text) == ["junk.example", "spam.example"])
        #expect(leaks.map(\.offender.messageIDs) == [["<2@junk>"], ["<1@spam>"]])
        #expect(leaks.allSatisfy { $0.owners.map(\.domain.text) == ["shop.example"] })
        #expect(try ledger.leaks(since: start + 15).count == 1)
    }

    @Test func listing() throws {
        let ledger = try workshop.ledger()
        for detail in ["c", "a", "b"] { _ = try ledger.verdict(tag(detail), dmarc("shop.example")) }
        _ = try ledger.verdict(tag("z", of: "bob@example.org"), dmarc("shop.example"))
        #expect(try ledger.list().map(\.tag.detail) == ["a", "b", "c", "z"])
        let alice = try #require(EmailAddress("ALICE@example.org"))
        #expect(try ledger.list(base: alice, limit: 2, offset: 1).map(\.tag.detail) == ["b", "c"])
    }

    @Test func theFileIsPrivate() throws {
        let ledger = try workshop.ledger()
        _ = try ledger.verdict(tag("shop"), dmarc("shop.example"))
        for name in try FileManager.default.contentsOfDirectory(atPath: workshop.folder) {
            let mode = try FileManager.default.attributesOfItem(atPath: workshop.folder + "/" + name)[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(name)")
        }
    }

    /// A ledger of before sightings were told apart: all of them were direct.
    @Test func anOlderLedgerIsTakenOver() throws {
        let queue = try DatabaseQueue(path: workshop.path)
        try DatabaseFile.migrator(TagDatabase.migrations).migrate(queue, upTo: "1")
        try queue.write { db in
            try db.execute(sql: """
                INSERT INTO tag (id, base, detail, created) VALUES (1, 'alice@example.org', 'shop', 0);
                INSERT INTO owner VALUES (1, 'shop.example', 'learned', 0);
                INSERT INTO sighting VALUES (1, 'spam.example', 'dkim', 1000, 2000, 3), (1, '', NULL, 1000, 1000, 1);
                INSERT INTO message VALUES (1, 'spam.example', '<1>', 1000);
                """)
        }
        try queue.close()
        let ledger = try workshop.ledger()
        let leak = try #require(try ledger.leaks().first?.offender)
        #expect((leak.domain?.text, leak.count, leak.messageIDs, leak.isDirect) == ("spam.example", 3, ["<1>"], true))
        #expect(try ledger.verdict(tag("shop"), dmarc("spam.example")).status == .leaked)
        try ledger.forget(tag("shop"))
        #expect(try ledger.database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM message") } == 0)
    }

    @Test func whatIsNoDatabaseIsAClearError() throws {
        #expect(throws: TagLedgerError.self) { try TagLedger(path: workshop.folder, mintingKey: Array(1...32)) }
        try Data(repeating: 65, count: 5_000).write(to: URL(filePath: workshop.path))
        #expect(throws: TagLedgerError.self) { try workshop.ledger() }
    }

    @Test func theBackgroundFlushHappens() async throws {
        let ledger = try workshop.ledger { $0.flushInterval = .milliseconds(1) }
        _ = try ledger.verdict(tag("shop"), dmarc("shop.example"))
        let deadline = ContinuousClock.now + .seconds(10)
        var written: Int?
        while written != 1, ContinuousClock.now < deadline {
            await Task.yield()
            written = try await ledger.database.read { try Int.fetchOne($0, sql: "SELECT sum(count) FROM sighting") }
        }
        #expect(written == 1)
    }

    /// 100,000 tags: memory is bounded by the cache, a miss is an index search, a hit touches no table.
    @Test func aHundredThousandTagsStayFlat() throws {
        let ledger = try workshop.ledger { $0.cacheLimit = 1_000 }
        try ledger.database.write { db in
            try db.execute(sql: """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
                INSERT INTO tag (base, detail, created, learned) SELECT 'u' || (i % 1000) || '@example.org', 'tag' || i, 0, 1 FROM n;
                INSERT INTO owner (tag, domain, origin, since) SELECT id, 'shop.example', 'learned', 0 FROM tag;
                """)
        }
        let shop = try dmarc("shop.example")
        for number in stride(from: 1, to: 100_000, by: 20) {
            #expect(try ledger.verdict(tag("tag\(number)", of: "u\(number % 1_000)@example.org"), shop).status == .match)
        }
        #expect(ledger.state.withLock { $0.cache.count } <= 1_000)
        let plans = try ledger.database.read { db in
            try [TagDatabase.findTag, TagDatabase.findOwners, TagDatabase.learnedOfBase, TagDatabase.learnedLately,
                 TagDatabase.learnedLatelyFrom].flatMap { sql in
                try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql, arguments: StatementArguments(Array(repeating: "a", count: sql.count { $0 == "?" }))).map { $0["detail"] as String }
            }
        }
        #expect(plans.allSatisfy { !$0.contains("SCAN") }, "\(plans)")
    }
}
