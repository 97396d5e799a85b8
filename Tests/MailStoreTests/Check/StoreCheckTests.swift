import Foundation
import InternetMessage
import Testing
@testable import MailStore

@Suite struct StoreCheckTests {
    private let store: TemporaryStore

    init() throws {
        store = try TemporaryStore()
        try store.deliver()
        try store.deliver("Subject: two\r\n\r\nx\r\n", keywords: ["Work"], flags: [.seen])
        try store.deliver(folder: "Büro/Archiv")
        _ = try store.inbox().refresh()
    }

    private func check(repairs: Bool = false) throws -> [StoreFinding] {
        var check = try AccountCheck(account: store.account, in: store.store, repairs: repairs, summarizer: nil)
        return try check.run()
    }

    private func put(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: store.maildir + "/" + path)) }
    private func age(_ path: String) throws {
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -40 * 3600)], ofItemAtPath: store.maildir + "/" + path)
    }

    /// Finds one thing, repairs it, and finds nothing after that.
    private func repairs(_ kind: StoreFinding.Kind, _ words: String) throws {
        let found = try check()
        #expect(found.map(\.kind) == [kind])
        #expect(found.first?.text.contains(words) == true, "\(found)")
        #expect(found.first?.state == .repairable)
        #expect(try check(repairs: true).map(\.state) == [.repaired])
        #expect(try check().isEmpty)
    }

    @Test func aMaildirInOrderHasNoFindings() throws { #expect(try check().isEmpty) }

    @Test func oldTemporaryFilesAreNamedAndHarmless() throws {
        try put("half", "tmp/young")
        try put("half", "tmp/old")
        try age("tmp/old")
        #expect(try check().map(\.isWrong) == [false])
        try repairs(.unfinished, "tmp/old is an unfinished temporary file")
        #expect(store.names("tmp") == ["young"])
    }

    @Test func aListThatIsNoneGetsANewValidity() throws {
        let before = try store.inbox().refresh().uidValidity
        try put("nonsense\n", "dovecot-uidlist")
        try repairs(.uidList, "cannot be used")
        let after = try store.inbox().refresh()
        #expect(after.uidValidity > before)
        #expect(after.messages.count == 2)
    }

    @Test func aTornLastLineIsCutOff() throws {
        let path = store.maildir + "/dovecot-uidlist"
        try put(try store.text(path) + "99 :170000", "dovecot-uidlist")
        try repairs(.uidList, "cut short")
        #expect(try store.text(path).hasSuffix("\n"))
    }

    @Test func aFileWithTwoUIDsKeepsTheLater() throws {
        let path = store.maildir + "/dovecot-uidlist"
        let base = try #require(try UIDList(parsing: Array(store.text(path).utf8)).entries.first).base
        try put(try store.text(path) + "7 :\(base)\n", "dovecot-uidlist")
        try repairs(.uidList, "several UIDs")
        #expect(try UIDList(parsing: Array(store.text(path).utf8)).entries.map(\.uid) == [2, 7])
    }

    @Test func nothingOfTwoFilesOfOneNameIsLost() throws {
        let name = try #require(store.names("cur").first)
        try put("Subject: another\n\nother mail\n", "new/" + String(name.prefix { $0 != ":" }))
        let before = Set((store.names("cur").map { "cur/" + $0 } + store.names("new").map { "new/" + $0 }).map { try? store.text(store.maildir + "/" + $0) })
        _ = try check(repairs: true)
        let after = (store.names("cur").map { "cur/" + $0 } + store.names("new").map { "new/" + $0 })
        #expect(Set(after.map { try? store.text(store.maildir + "/" + $0) }) == before)
        #expect(Set(after.map { MaildirFileName(String($0.split(separator: "/")[1])).base }).count == after.count)
    }

    @Test func lettersWithoutANameGetOne() throws {
        try put("Subject: x\n\n", "cur/1.M1P1Q1.host:2,Sc")
        try repairs(.keywords, "letters that dovecot-keywords does not name: c")
        let snapshot = try store.inbox().refresh()
        #expect(snapshot.messages.contains { snapshot.keywords(of: $0) == ["unknown-2"] })
    }

    @Test func whatIsNoFileIsLeftAloneAndNotServed() throws {
        try put("secret", "../../secret")
        try FileManager.default.createSymbolicLink(atPath: store.maildir + "/cur/1.link.host:2,", withDestinationPath: store.root + "/secret")
        try FileManager.default.createDirectory(atPath: store.maildir + "/cur/2.folder.host:2,", withIntermediateDirectories: false)
        #expect(mkfifo(store.maildir + "/new/3.fifo.host", 0o600) == 0)
        let found = try check(repairs: true)
        #expect(found.map(\.state) == [.left, .left, .left])
        #expect(store.names("cur").count == 3)
    }

    @Test func aFolderThatLacksAPartGetsIt() throws {
        try FileManager.default.removeItem(atPath: store.maildir + "/.B&APw-ro.Archiv/tmp")
        try repairs(.folder, "lacks tmp")
    }

    @Test func exportGivesEveryMessageALine() throws {
        try store.deliver("Subject: new one\r\n\r\n")
        let place = store.root + "/export"
        let folders = try DovecotExport.run(store.account, in: store.store, to: place)
        #expect(folders.map(\.name) == ["INBOX", "Büro/Archiv"])
        for (folder, path) in [("", place), ("/.B&APw-ro.Archiv", place + "/.B&APw-ro.Archiv")] {
            let list = try UIDList(parsing: Array(store.text(path + "/dovecot-uidlist").utf8))
            let files = store.names(folder + "/cur") + store.names(folder + "/new")
            #expect(Set(list.entries.map(\.base)) == Set(files.map { MaildirFileName($0).base }))
        }
        #expect(try store.text(place + "/dovecot-keywords") == "0 Work\n")
        #expect(try store.text(place + "/subscriptions").hasPrefix("V\t2"))
    }
}
