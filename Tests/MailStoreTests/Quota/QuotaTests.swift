import Foundation
import InternetMessage
import Testing
@testable import MailStore

@Suite struct QuotaTests {
    private let text = "Subject: x\r\n\r\n" + String(repeating: "0123456789\r\n", count: 100)

    @Test func deliveriesStopAtTheLimit() throws {
        let store = try TemporaryStore()
        try store.deliver(text)
        let one = try store.store.usage(of: store.account)
        #expect(one > 1000)
        store.store.setLimit(MailboxLimit(octets: one * 5 / 2, isTemporary: true))
        try store.deliver(text, folder: "Other")
        #expect(throws: StoreError.overQuota(isTemporary: true)) { try store.deliver(text) }
        #expect(try !store.store.isFull(store.account))
        store.store.setLimit(MailboxLimit(octets: one * 2))
        #expect(try store.store.isFull(store.account))
        store.store.setLimit(MailboxLimit())
        try store.deliver(text)
    }

    @Test func usageFollowsOtherPrograms() throws {
        let store = try TemporaryStore()
        try store.deliver(text)
        let before = try store.store.usage(of: store.account)
        let added = store.maildir + "/cur/1.M1P1.other:2,S"
        try Data(repeating: 65, count: 5000).write(to: URL(fileURLWithPath: added))
        #expect(try store.store.usage(of: store.account) == before + 5000)
        unlink(added)
        #expect(try store.store.usage(of: store.account) == before)
        let inbox = try store.inbox()
        try inbox.expunge(uids: try inbox.refresh().messages.map(\.uid))
        #expect(try store.store.usage(of: store.account) == 0)
    }

    @Test func appendAndCopyStopAtTheLimitAndMovesDoNot() throws {
        let store = try TemporaryStore()
        try store.deliver(text)
        let mailboxes = try store.mailboxes(), inbox = try store.inbox()
        try mailboxes.create(FolderName("Other"))
        let other = try mailboxes.mailbox(FolderName("Other"))
        store.store.setLimit(MailboxLimit(octets: 1500))
        let uids = try inbox.refresh().messages.map(\.uid)
        #expect(throws: StoreError.overQuota(isTemporary: false)) { try inbox.copy(uids: uids, to: other) }
        #expect(throws: StoreError.overQuota(isTemporary: false)) {
            let message = try other.beginMessage()
            try message.append(Array(text.utf8))
            _ = try other.commit([message])
        }
        #expect(try other.refresh().messages.isEmpty)
        #expect(try inbox.move(uids: uids, to: other).source == uids)
        #expect(try other.refresh().messages.count == 1)
        #expect(try inbox.refresh().messages.isEmpty)
        #expect(store.names("tmp").isEmpty)
    }
}
