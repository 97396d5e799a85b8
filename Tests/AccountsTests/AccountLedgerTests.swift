@testable import Accounts
import BlockingPool
import Foundation
import Testing

@Suite struct AccountLedgerTests {
    private func withFile(_ work: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "use-\(UUID().uuidString).sqlite"
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
        try work(path)
    }

    private let limit = AccountLimit(messages: 3, recipients: 10, window: 3600)
    /// The beginning of a stretch.
    private let start = 3600 * 1000

    @Test func messagesBeyondTheLimit() throws {
        try withFile { path in
            let ledger = try AccountLedger(path: path)
            let over = try (0..<5).map { try ledger.charge("a", recipients: 1, limit: limit, now: start + $0).isOver }
            #expect(over == [false, false, false, true, true])
            #expect(try !ledger.charge("b", recipients: 10, limit: limit, now: start).isOver)
            #expect(try ledger.charge("b", recipients: 1, limit: limit, now: start).isOver)
        }
    }

    @Test func aRestartForgivesNothing() throws {
        try withFile { path in
            for _ in 0..<3 {
                let ledger = try AccountLedger(path: path)
                #expect(try !ledger.charge("a", recipients: 1, limit: limit, now: start).isOver)
                ledger.close()
            }
            #expect(try AccountLedger(path: path).charge("a", recipients: 1, limit: limit, now: start).isOver)
        }
    }

    /// Wrong by a year for a moment, and set right.
    @Test func aClockThatIsSetBackForgivesNothingAndHoldsNothingForEver() throws {
        try withFile { path in
            let ledger = try AccountLedger(path: path)
            for _ in 0..<3 { #expect(try !ledger.charge("a", recipients: 1, limit: limit, now: start + 3600 * 9000).isOver) }
            #expect(try ledger.charge("a", recipients: 1, limit: limit, now: start).isOver)
            #expect(try !ledger.charge("a", recipients: 1, limit: limit, now: start + 2 * 3600).isOver)
        }
    }

    @Test func theWindowSlides() throws {
        try withFile { path in
            let ledger = try AccountLedger(path: path)
            for _ in 0..<4 { _ = try ledger.charge("a", recipients: 2, limit: limit, now: start + 1800) }
            #expect(try ledger.use(of: "a", limit: limit, now: start + 3600) == AccountUse(messages: 4, recipients: 8))
            #expect(try ledger.use(of: "a", limit: limit, now: start + 5400) == AccountUse(messages: 2, recipients: 4))
            #expect(try ledger.use(of: "a", limit: limit, now: start + 7200) == AccountUse(messages: 0, recipients: 0))
            // A clock set back frees nobody.
            #expect(try ledger.use(of: "a", limit: limit, now: start - 86_400) == AccountUse(messages: 4, recipients: 8))
        }
    }

    @Test func theAdministratorIsToldOnceADay() throws {
        try withFile { path in
            let ledger = try AccountLedger(path: path), one = AccountLimit(messages: 0, recipients: 1, window: 3600)
            let first = try (0..<4).map { _ in try ledger.charge("a", recipients: 1, limit: one, now: start).isFirstOfDay }
            #expect(first == [false, true, false, false])
            _ = try ledger.charge("a", recipients: 1, limit: one, now: start + 86_400)
            #expect(try ledger.charge("a", recipients: 1, limit: one, now: start + 86_400).isFirstOfDay)
        }
    }

    @Test func anotherWindowStartsFromWhatWasSent() throws {
        try withFile { path in
            let ledger = try AccountLedger(path: path), day = AccountLimit(messages: 3, recipients: 0, window: 86_400)
            for _ in 0..<3 { _ = try ledger.charge("a", recipients: 1, limit: limit, now: start) }
            #expect(try ledger.charge("a", recipients: 1, limit: day, now: start + 1).isOver)
            #expect(try !ledger.charge("a", recipients: 1, limit: limit, now: start + 86_400 * 3).isOver)
        }
    }

    @Test func whatWasNotTakenIsNotCounted() throws {
        try withFile { path in
            let ledger = try AccountLedger(path: path)
            _ = try ledger.charge("a", recipients: 5, limit: limit, now: start)
            try ledger.refund("a", recipients: 5)
            #expect(try ledger.use(of: "a", limit: limit, now: start) == AccountUse(messages: 0, recipients: 0))
        }
    }

    @Test func aLimitOfItsOwn() throws {
        try withFile { path in
            let store = try AccountStore(path: path, pool: BlockingPool(threads: 1), cost: 1, throttle: FailureThrottle())
            try store.add("a@x.example", password: "correct horse")
            #expect(try store.limit(of: "a@x.example") == nil)
            try store.setLimit(limit, of: "A@x.example")
            #expect(try store.limit(of: "a@x.example") == limit)
            try store.setLimit(nil, of: "a@x.example")
            #expect(try store.limit(of: "a@x.example") == nil)
            #expect(throws: AccountError.noSuchAccount("b@x.example")) { try store.setLimit(limit, of: "b@x.example") }
        }
    }
}
