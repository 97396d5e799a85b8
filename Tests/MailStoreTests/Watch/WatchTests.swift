import Foundation
import Synchronization
import Testing
@testable import MailStore

@Suite struct WatchTests {
    /// Other programs add, rename, remove and flag; after each few of these what the kernel told must be what is there.
    @Test func whatIsToldIsWhatIsThere() throws {
        let store = try TemporaryStore()
        for _ in 0..<20 { try store.deliver() }
        let inbox = try store.inbox()
        _ = try inbox.refresh()
        var random = SystemRandomNumberGenerator(), serial = 0
        for _ in 0..<200 {
            for _ in 0..<Int.random(in: 1...6, using: &random) { try meddle(store, &serial, &random) }
            if Bool.random(using: &random), let uid = inbox.lastSnapshot.messages.randomElement()?.uid { try inbox.setFlags(.add, [.flagged], uids: [uid]) }
            let told = try inbox.refresh()
            let found = try FolderListing(inbox.paths)
            #expect(Set(told.messages.map(\.base)) == Set(found.bases.map(\.text)))
            for message in told.messages {
                let file = try #require(found[message.base])
                #expect(message.fileName == file.spelling(of: message.base) && message.isNew == file.isNew && message.flags == file.info.flags)
            }
            #expect(told.messages.map(\.uid) == told.messages.map(\.uid).sorted())
        }
    }

    private func meddle(_ store: TemporaryStore, _ serial: inout Int, _ random: inout SystemRandomNumberGenerator) throws {
        let path = store.maildir + "/"
        serial += 1
        switch Int.random(in: 0..<6, using: &random) {
        case 0: try Data("Subject: x\n\n".utf8).write(to: URL(fileURLWithPath: path + "new/\(serial).M1P1.other"))
        case 1: try store.deliver(flags: [.seen])
        case 2: try Data("Subject: y\n\n".utf8).write(to: URL(fileURLWithPath: path + "cur/\(serial).M2P1.other:2,RS"), options: .atomic)
        case 3: if let name = store.names("new").randomElement(using: &random) { rename(path + "new/" + name, path + "cur/" + name + ":2,") }
        case 4:
            if let name = store.names("cur").randomElement(using: &random) {
                let base = String(name.prefix { $0 != ":" })
                rename(path + "cur/" + name, path + "cur/" + base + ":2,F")
                rename(path + "cur/" + base + ":2,F", path + "cur/" + base + ":2," + (Bool.random(using: &random) ? "FS" : "DS"))
            }
        default: if let name = store.names("cur").randomElement(using: &random) { unlink(path + "cur/" + name) }
        }
    }

    @Test func whoWaitsHearsOfAnotherProgramsChange() throws {
        try Self.waitForRoom()
        let store = try TemporaryStore()
        let inbox = try store.inbox()
        _ = try inbox.refresh()
        let woken = DispatchSemaphore(value: 0)
        let token = inbox.observe { woken.signal() }
        try Data("Subject: x\n\n".utf8).write(to: URL(fileURLWithPath: store.maildir + "/new/1.M1P1.other"))
        #expect(woken.wait(timeout: .now() + 10) == .success)
        #expect(try inbox.refresh().messages.count == 1)
        inbox.removeObserver(token)
    }

    /// A list that another program replaces (Dovecot does) keeps UIDs, and one that begins anew is noticed.
    @Test func aReplacedUIDListIsReadAgain() throws {
        let store = try TemporaryStore()
        for _ in 0..<3 { try store.deliver() }
        let inbox = try store.inbox()
        let before = try inbox.refresh()
        let path = store.maildir + "/dovecot-uidlist"
        var list = try UIDList(parsing: Array(store.text(path).utf8))
        try Files.replace(path, with: list.serialised())
        #expect(try inbox.refresh().messages == before.messages)
        list.uidValidity += 1
        list.entries = []
        list.nextUID = 50
        try Files.replace(path, with: list.serialised())
        let after = try inbox.refresh()
        #expect(after.uidValidity == before.uidValidity + 1)
        #expect(after.messages.map(\.uid) == [50, 51, 52])
    }

    /// Dovecot takes the lines of what it removed out of the list, as a rule before this program hears of the removal.
    @Test func whatWentWithItsLineIsGone() throws {
        let store = try TemporaryStore()
        for _ in 0..<4 { try store.deliver(flags: [.seen]) }
        let inbox = try store.inbox()
        let before = try inbox.refresh().messages
        let path = store.maildir + "/dovecot-uidlist"
        var list = try UIDList(parsing: Array(store.text(path).utf8))
        list.entries.removeAll { [2, 3].contains($0.uid) }
        #expect(unlink(store.maildir + "/cur/" + before[1].fileName) == 0 && unlink(store.maildir + "/cur/" + before[2].fileName) == 0)
        try Files.replace(path, with: list.serialised())
        #expect(try inbox.refresh().messages.map(\.uid) == [1, 4])
        // A line that went by itself: its file gets another UID.
        list.entries.removeAll { $0.uid == 4 }
        try Files.replace(path, with: list.serialised())
        #expect(try inbox.refresh().messages.map(\.uid) == [1, 5])
    }

    @Test func aDeletedFolderMadeAgainIsAnother() throws {
        let store = try TemporaryStore()
        try store.deliver(folder: "Box")
        let box = try store.mailboxes().mailbox(FolderName("Box"))
        #expect(try box.refresh().messages.count == 1)
        try FileManager.default.removeItem(atPath: store.maildir + "/.Box")
        #expect(throws: StoreError.self) { try box.refresh() }
        for part in ["tmp", "new", "cur"] { try FileManager.default.createDirectory(atPath: store.maildir + "/.Box/" + part, withIntermediateDirectories: true) }
        #expect(try box.refresh().messages.isEmpty)
        try Data("Subject: x\n\n".utf8).write(to: URL(fileURLWithPath: store.maildir + "/.Box/new/1.M1P1.other"))
        #expect(try box.refresh().messages.count == 1)
    }

    @Test func aCopyThatWasCutOffIsTakenBack() throws {
        let store = try TemporaryStore()
        try store.deliver()
        let paths = MailboxPaths(folder: store.maildir)
        for name in ["10.M1P1Q1.host,S=5", "10.M1P1Q2.host,S=5", "10.M1P1Q3.host,S=5"] { try Data("X: y\n".utf8).write(to: URL(fileURLWithPath: paths.cur + "/" + name + ":2,S")) }
        // A process of this host that runs no more.
        let gone = String(DotLock.holder.split(separator: ":")[1])
        try Data("4194301:\(gone)\n10.M1P1Q1.host\n10.M1P1Q2.host\n10.M1P1Q7.host\n".utf8).write(to: URL(fileURLWithPath: paths.tmp + "/note.batch"))
        #expect(try store.inbox().refresh().messages.count == 2)
        #expect(store.names("tmp").isEmpty)
    }

    /// What a store keeps for the next client does not keep the store's folders, its watcher and its thread for ever.
    @Test func aStoreThatNobodyHasIsGone() throws {
        weak var inbox: Mailbox?
        do {
            let store = try TemporaryStore()
            try store.deliver()
            let mine = try store.inbox()
            #expect(try mine.refresh().messages.count == 1)
            inbox = mine
        }
        for _ in 0..<100 where inbox != nil { usleep(50_000) }
        #expect(inbox == nil)
    }

    /// The tests beside this one have stores as well, and the kernel gives a user so many inotify instances
    /// (fs.inotify.max_user_instances, 128 as a rule); a store that gets none looks from time to time instead.
    private static func waitForRoom() throws {
        for _ in 0..<600 {
            let probes = (0..<8).map { _ in inotify_init1(Int32(IN_CLOEXEC)) }
            for probe in probes where probe >= 0 { close(probe) }
            if probes.allSatisfy({ $0 >= 0 }) { return }
            usleep(100_000)
        }
        Issue.record("no room for another inotify instance")
    }
}
