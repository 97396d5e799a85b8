import Foundation
import Testing
@testable import MailStore

@Suite struct MailboxTests {
    @Test func uidsSurviveARestart() throws {
        let temporary = try TemporaryStore()
        for index in 0..<3 { try temporary.deliver("Subject: \(index)\r\n\r\n") }
        let before = try temporary.inbox().refresh()
        let other = try MailStore(root: temporary.root)
        let after = try other.maildir(for: temporary.account).mailbox(.inbox).refresh()
        #expect(after.messages == before.messages)
        #expect(after.uidValidity == before.uidValidity)
        #expect(after.uidNext == 4)
    }

    @Test func anExpungedUIDIsNeverGivenAgain() throws {
        let temporary = try TemporaryStore()
        let inbox = try temporary.inbox()
        for _ in 0..<3 { try temporary.deliver() }
        _ = try inbox.refresh()
        try inbox.expunge(uids: [3])
        try temporary.deliver()
        let other = try MailStore(root: temporary.root).maildir(for: temporary.account).mailbox(.inbox)
        #expect(try other.refresh().messages.map(\.uid) == [1, 2, 4])
    }

    @Test func flagsAreRenamesThatOtherProgramsSee() throws {
        let temporary = try TemporaryStore()
        let inbox = try temporary.inbox()
        try temporary.deliver()
        _ = try inbox.refresh()
        try inbox.setFlags(.add, [.seen], keywords: ["work"], uids: [1])
        #expect(temporary.names("cur").first?.hasSuffix(":2,Sa") == true)
        let snapshot = try inbox.setFlags(.replace, [.flagged], uids: [1])
        #expect(snapshot.messages[0].flags == [.flagged])
        #expect(snapshot.keywords(of: snapshot.messages[0]) == [])
        let removed = try inbox.setFlags(.remove, [.flagged], uids: [1, 77])
        #expect(removed.messages[0].flags == [])
    }

    @Test func changesByOtherProgramsAreFound() throws {
        let temporary = try TemporaryStore()
        let inbox = try temporary.inbox()
        for _ in 0..<3 { try temporary.deliver() }
        _ = try inbox.claimRecent()
        let names = temporary.names("cur")
        let files = FileManager.default
        // Letters out of order and a name without info: what other programs may write.
        let spelled = names[0].replacingOccurrences(of: ":2,", with: ":2,SF")
        try files.moveItem(atPath: temporary.maildir + "/cur/" + names[0], toPath: temporary.maildir + "/cur/" + spelled)
        let bare = String(names[1].prefix { $0 != ":" })
        try files.moveItem(atPath: temporary.maildir + "/cur/" + names[1], toPath: temporary.maildir + "/cur/" + bare)
        try files.removeItem(atPath: temporary.maildir + "/cur/" + names[2])
        let snapshot = try inbox.refresh()
        #expect(snapshot.messages.map(\.uid) == [1, 2])
        #expect(snapshot.messages[0].flags == [.seen, .flagged])
        #expect(try inbox.open(uid: 1).bytes().isEmpty == false)
        #expect(try inbox.setFlags(.add, [.deleted], uids: [1, 2]).messages.map(\.flags) == [[.flagged, .seen, .deleted], [.deleted]])
    }

    @Test func aFileRenamedBetweenLookAndUseIsFoundAgain() throws {
        let temporary = try TemporaryStore()
        let inbox = try temporary.inbox()
        try temporary.deliver()
        _ = try inbox.claimRecent()
        let name = temporary.names("cur")[0]
        try FileManager.default.moveItem(atPath: temporary.maildir + "/cur/" + name, toPath: temporary.maildir + "/cur/" + name + "R")
        #expect(try inbox.open(uid: 1).bytes().isEmpty == false)
        try FileManager.default.removeItem(atPath: temporary.maildir + "/cur/" + name + "R")
        #expect(throws: StoreError.noSuchMessage(uid: 1)) { try inbox.open(uid: 1) }
    }

    @Test func recentBelongsToTheFirstWhoClaims() throws {
        let temporary = try TemporaryStore()
        let inbox = try temporary.inbox()
        try temporary.deliver()
        #expect(try inbox.refresh().messages.map(\.isNew) == [true])
        #expect(try inbox.claimRecent().recent == [1])
        #expect(try inbox.claimRecent().recent == [])
        #expect(temporary.names("new").isEmpty)
    }

    @Test func copiesKeepFlagsKeywordsAndDate() throws {
        let temporary = try TemporaryStore()
        let mailboxes = try temporary.mailboxes()
        let inbox = try temporary.inbox()
        let other = try FolderName("Other")
        try mailboxes.create(other)
        let target = try mailboxes.mailbox(other)
        _ = try target.setFlags(.add, [], keywords: ["first"], uids: [])
        var writer = try inbox.beginAppend()
        try writer.append(Array("Subject: x\r\n\r\n".utf8))
        _ = try inbox.commit(writer, flags: [.seen, .answered], keywords: ["work"], internalDate: 1_000_000_000)
        try temporary.deliver()
        let (source, assigned) = try inbox.copy(uids: [1, 2, 9], to: target)
        #expect(source == [1, 2])
        #expect(assigned.uids == [1, 2])
        let copied = try target.refresh()
        #expect(copied.messages.map(\.flags) == [[.seen, .answered], []])
        #expect(copied.keywords(of: copied.messages[0]) == ["work"])
        #expect(try target.details(of: [1]).first?.internalDate == 1_000_000_000)
        #expect(try target.details(of: [1, 2]).map(\.size) == (try inbox.details(of: [1, 2]).map(\.size)))
    }

    @Test func movesLeaveNothingBehind() throws {
        let temporary = try TemporaryStore()
        let inbox = try temporary.inbox()
        try temporary.mailboxes().create(FolderName("Other"))
        let target = try temporary.mailboxes().mailbox(FolderName("Other"))
        for _ in 0..<2 { try temporary.deliver() }
        let (source, assigned) = try inbox.move(uids: [2], to: target)
        #expect((source, assigned.uids) == ([2], [1]))
        #expect(try inbox.refresh().messages.map(\.uid) == [1])
        #expect(try target.refresh().messages.count == 1)
    }

    @Test func copyingWithinAFolderWorks() throws {
        let temporary = try TemporaryStore()
        let inbox = try temporary.inbox()
        try temporary.deliver()
        _ = try inbox.copy(uids: [1], to: inbox)
        #expect(try inbox.refresh().messages.map(\.uid) == [1, 2])
    }

    @Test func observersHearOfDeliveriesAndChanges() throws {
        let temporary = try TemporaryStore()
        let inbox = try temporary.inbox()
        let heard = Heard()
        let token = inbox.observe { heard.add() }
        try temporary.deliver()
        #expect(heard.count == 1)
        _ = try inbox.refresh()
        #expect(heard.count == 2)
        inbox.removeObserver(token)
        try temporary.deliver()
        #expect(heard.count == 2)
    }

    @Test func aBrokenUIDListBeginsANewValidity() throws {
        let temporary = try TemporaryStore()
        try temporary.deliver()
        let before = try temporary.inbox().refresh().uidValidity
        try Data("garbage\n".utf8).write(to: URL(fileURLWithPath: temporary.maildir + "/dovecot-uidlist"))
        let after = try MailStore(root: temporary.root).maildir(for: temporary.account).mailbox(.inbox).refresh()
        #expect(after.uidValidity > before)
        #expect(after.messages.count == 1)
    }

    @Test func dovecotsOwnListIsContinued() throws {
        let temporary = try TemporaryStore()
        let file = try temporary.deliver()
        let base = String(file.path.split(separator: "/").last ?? "")
        try Data("3 V77 N900 Gabc\n41 W9 :\(base):2,S\n".utf8).write(to: URL(fileURLWithPath: temporary.maildir + "/dovecot-uidlist"))
        try temporary.deliver()
        let snapshot = try temporary.inbox().refresh()
        #expect(snapshot.uidValidity == 77)
        #expect(snapshot.messages.map(\.uid) == [41, 900])
        let text = try temporary.text(temporary.maildir + "/dovecot-uidlist")
        #expect(text.hasPrefix("3 V77 N900 Gabc\n41 W9 :\(base):2,S\n900 :"))
    }
}

private final class Heard: @unchecked Sendable {
    // Sendable by proof: `value` is touched only inside `lock.withLock`.
    private let lock = NSLock()
    private var value = 0
    func add() { lock.withLock { value += 1 } }
    var count: Int { lock.withLock { value } }
}
