import Testing
@testable import MailStore

@Suite struct FolderNameTests {
    @Test func storageNames() throws {
        #expect(try FolderName("Archive/Entwürfe").storageName == ".Archive.Entw&APw-rfe")
        #expect(try FolderName("inbox").isInbox)
        // As many levels as a file's name holds: another program may have made them.
        let deep = Array(repeating: "a", count: 127).joined(separator: "/")
        #expect(FolderName(storageName: "." + deep.replacing("/", with: ".")) == (try FolderName(deep)))
        #expect(throws: StoreError.self) { try FolderName(deep + "/a") }
        #expect(FolderName(storageLevels: Array(repeating: "a", count: 128)) == nil)
        #expect(try FolderName("iNbOx/sub").storageName == ".INBOX.sub")
        #expect(FolderName(storageName: ".A.B")?.levels == ["A", "B"])
    }

    @Test(arguments: ["", "/a", "a/", "a//b", "a.b", "..", "../x", ".\u{301}a", "a.\u{20D2}b", "\u{301}./", "a\u{0}", "a\nb", String(repeating: "x", count: 255)])
    func unsafeNamesAreRefused(name: String) {
        #expect(throws: StoreError.self) { try FolderName(name) }
    }

    /// A slash is a slash to the file system, whatever mark is put on it: it must never get into the name of a folder.
    @Test(arguments: ["a/\u{301}b", "x\u{618}/\u{618}y/\u{301}", "a/\u{200D}"])
    func marksDoNotHideSlashes(name: String) throws {
        let folder = try FolderName(name)
        #expect(!folder.storageName.utf8.contains(47))
        #expect(folder.levels.count == name.utf8.split(separator: 47, omittingEmptySubsequences: false).count)
        #expect(FolderName(storageName: folder.storageName) == folder)
    }
}

@Suite struct MailboxesTests {
    @Test func foldersAreListedWithTheirImpliedParents() throws {
        let temporary = try TemporaryStore()
        let mailboxes = try temporary.mailboxes()
        try mailboxes.create(FolderName("Archive/2026"))
        try mailboxes.setSubscribed(FolderName("Archive/2026"), true)
        let list = try mailboxes.list()
        #expect(list.map(\.name.description) == ["INBOX", "Archive", "Archive/2026"])
        #expect(list.map(\.exists) == [true, false, true])
        #expect(list.map(\.hasChildren) == [false, true, false])
        #expect(list.map(\.isSubscribed) == [false, false, true])
        #expect(throws: StoreError.alreadyExists("Archive/2026")) { try mailboxes.create(FolderName("Archive/2026")) }
    }

    @Test func aFolderMadeAgainHasAnotherUIDValidity() throws {
        let temporary = try TemporaryStore()
        let mailboxes = try temporary.mailboxes()
        let name = try FolderName("A")
        try mailboxes.create(name)
        let first = try mailboxes.mailbox(name).refresh().uidValidity
        try mailboxes.delete(name)
        #expect(throws: StoreError.noSuchMailbox("A")) { try mailboxes.mailbox(name) }
        try mailboxes.create(name)
        #expect(try mailboxes.mailbox(name).refresh().uidValidity > first)
    }

    @Test func renamingTakesTheChildrenAlongAndKeepsTheUIDs() throws {
        let temporary = try TemporaryStore()
        let mailboxes = try temporary.mailboxes()
        try temporary.deliver(folder: "A")
        try temporary.deliver(folder: "A/B")
        let before = try mailboxes.mailbox(FolderName("A/B")).refresh()
        try mailboxes.rename(FolderName("A"), to: FolderName("C/D"))
        #expect(try mailboxes.list().filter(\.exists).map(\.name.description) == ["INBOX", "C/D", "C/D/B"])
        let after = try mailboxes.mailbox(FolderName("C/D/B")).refresh()
        #expect(after.uidValidity == before.uidValidity)
        #expect(after.messages == before.messages)
        #expect(throws: StoreError.self) { try mailboxes.rename(FolderName("C"), to: FolderName("C/x")) }
    }

    /// RFC 3501 §6.3.5: the messages move, the inbox stays and is empty.
    @Test func renamingTheInboxMovesItsMessages() throws {
        let temporary = try TemporaryStore()
        let mailboxes = try temporary.mailboxes()
        try temporary.deliver("Subject: one\r\n\r\n")
        try temporary.deliver("Subject: two\r\n\r\n")
        try mailboxes.create(FolderName("INBOX/child"))
        try mailboxes.rename(.inbox, to: FolderName("Old"))
        #expect(try temporary.inbox().refresh().messages.isEmpty)
        #expect(try mailboxes.mailbox(FolderName("Old")).refresh().messages.count == 2)
        #expect(mailboxes.exists(try FolderName("INBOX/child")))
    }

    @Test func theInboxCannotBeDeleted() throws {
        #expect(throws: StoreError.self) { try TemporaryStore().mailboxes().delete(.inbox) }
    }

    @Test func aSubscriptionOutlivesItsFolder() throws {
        let temporary = try TemporaryStore()
        let mailboxes = try temporary.mailboxes()
        try mailboxes.setSubscribed(FolderName("gone"), true)
        #expect(try mailboxes.subscribedFolders().map(\.description) == ["gone"])
        try mailboxes.setSubscribed(FolderName("gone"), false)
        #expect(try mailboxes.subscribedFolders().isEmpty)
    }
}
