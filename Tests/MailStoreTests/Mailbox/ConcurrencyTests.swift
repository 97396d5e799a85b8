import Foundation
import InternetMessage
import Testing
@testable import MailStore

/// Two stores over one folder stand for two processes: they share nothing but the files.
@Suite struct ConcurrencyTests {
    @Test func twoProcessesAgreeOnEveryUID() async throws {
        let temporary = try TemporaryStore()
        let stores = [temporary.store, try MailStore(root: temporary.root)]
        let account = temporary.account
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    let store = stores[worker % 2]
                    let inbox = try store.maildir(for: account).mailbox(.inbox)
                    for index in 0..<10 {
                        _ = try store.deliver(Message(parsing: Array("Subject: \(worker) \(index)\r\n\r\n".utf8)), to: account)
                        let uids = try inbox.refresh().messages.map(\.uid)
                        _ = try inbox.setFlags(.add, [.seen], uids: uids.suffix(2).map { $0 })
                    }
                }
            }
            try await group.waitForAll()
        }
        let seen = try stores.map { try $0.maildir(for: account).mailbox(.inbox).refresh() }
        #expect(seen[0].messages.map(\.uid) == Array(1...40))
        #expect(seen[0].messages.map(\.base) == seen[1].messages.map(\.base))
        #expect(seen[0].messages.map(\.uid) == seen[1].messages.map(\.uid))
        #expect(seen[0].uidValidity == seen[1].uidValidity)
    }

    @Test func oneMessageExpungedByBothGoesOnce() throws {
        let temporary = try TemporaryStore()
        for _ in 0..<3 { try temporary.deliver() }
        let here = try temporary.inbox()
        let there = try MailStore(root: temporary.root).maildir(for: temporary.account).mailbox(.inbox)
        _ = try here.refresh()
        _ = try there.refresh()
        try here.expunge(uids: [2])
        #expect(try there.expunge(uids: [2, 3]).messages.map(\.uid) == [1])
        #expect(try here.refresh().messages.map(\.uid) == [1])
    }
}
