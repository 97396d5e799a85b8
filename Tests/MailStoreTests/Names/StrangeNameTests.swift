import Foundation
import Testing
@testable import MailStore

/// File names that no program should make, and any program may.
@Suite struct StrangeNameTests {
    private func path(_ name: [UInt8], in store: TemporaryStore, _ folder: String = "cur") -> [CChar] {
        (Array((store.maildir + "/" + folder + "/").utf8) + name + [0]).map { CChar(bitPattern: $0) }
    }

    private func make(_ name: [UInt8], in store: TemporaryStore, _ folder: String = "cur") {
        let descriptor = open(path(name, in: store, folder), O_CREAT | O_WRONLY, 0o600)
        #expect(descriptor >= 0)
        close(descriptor)
    }

    private func restarted(_ store: TemporaryStore) throws -> MailboxSnapshot {
        try MailStore(root: store.root).maildir(for: store.account).mailbox(.inbox).refresh()
    }

    private static func info(_ base: [UInt8]) -> [UInt8] { base + Array(":2,S".utf8) }

    @Test func whatIsNoTextHasItsOwnUIDForGood() throws {
        let store = try TemporaryStore()
        try store.deliver()
        make(Self.info([0x31, 0x2e, 0xff]), in: store)
        make(Self.info([0x31, 0x2e, 0xfe]), in: store)
        let inbox = try store.inbox()
        let first = try inbox.refresh()
        #expect(first.messages.map(\.uid) == [1, 2, 3])
        #expect(try restarted(store).messages == first.messages)
        // Heard of, and gone again.
        make(Self.info([0x32, 0x2e, 0xfd]), in: store)
        #expect(try inbox.refresh().messages.count <= 4)
        let removed = unlink(path(Self.info([0x31, 0x2e, 0xff]), in: store))
        #expect(removed == 0)
        let left = try inbox.refresh().messages
        #expect(!left.contains { $0.storedBase == StoredName([0x31, 0x2e, 0xff]) } && left.contains { $0.storedBase == StoredName([0x31, 0x2e, 0xfe]) })
        let after = try restarted(store)
        #expect(after.messages.count == 3 && after.uidValidity == first.uidValidity)
    }

    @Test func spellingsOfOneTextAreTwoNames() throws {
        let store = try TemporaryStore()
        try store.deliver()
        make(Self.info(Array("1.é".utf8)), in: store)
        make(Self.info(Array("1.e\u{301}".utf8)), in: store)
        #expect(try store.inbox().refresh().messages.count == 3)
        #expect(try restarted(store).messages.count == 3)
    }

    /// A line of the list cannot say them; the list must not be lost for their sake.
    @Test(arguments: ["1.a\nb", "\n", ""]) func whatNoLineCanHoldIsNotShown(_ base: String) throws {
        let store = try TemporaryStore()
        try store.deliver()
        let inbox = try store.inbox()
        let before = try inbox.refresh()
        make(Self.info(Array(base.utf8)), in: store)
        #expect(try inbox.refresh().messages == before.messages)
        let after = try restarted(store)
        #expect(after.messages == before.messages && after.uidValidity == before.uidValidity)
    }

    @Test func aNameThatIsInTheListTwiceHasTheLaterUID() throws {
        let store = try TemporaryStore()
        for _ in 0..<3 { try store.deliver() }
        let inbox = try store.inbox()
        let base = try #require(try inbox.refresh().messages.first).base
        let path = store.maildir + "/dovecot-uidlist"
        try Files.append(Array("7 :\(base)\n".utf8), to: path)
        #expect(try restarted(store).messages.map(\.uid) == [2, 3, 7])
        try store.deliver()
        #expect(try restarted(store).messages.map(\.uid) == [2, 3, 7, 8])
    }

    /// Several thousand, half of them foreign in their spelling, some in both places, while the list is given away twice.
    @Test func aFolderOfManyIsTheSameAfterARestart() throws {
        let store = try TemporaryStore()
        try store.deliver()
        for number in 0..<6000 { make(Array("\(1000 + number).M\(number)P1.host\(number % 2 == 0 ? ":2,S" : ":2,SF")".utf8), in: store) }
        for number in 0..<50 { make(Array("\(1000 + number).M\(number)P1.host".utf8), in: store, "new") }
        let inbox = try store.inbox()
        let first = try inbox.refresh()
        #expect(first.messages.count == 6001)
        #expect(first.messages.map(\.uid) == Array(1...6001))
        #expect(first.messages.prefix(6000).map(\.base) == (0..<6000).map { "\(1000 + $0).M\($0)P1.host" })
        #expect(first.messages[1].fileName == "1001.M1P1.host:2,SF" && first.messages[1].base == "1001.M1P1.host" && first.messages[1].flags == [.seen, .flagged])
        #expect(try restarted(store).messages == first.messages)
        // Most are gone: the list is written anew without them.
        for number in 100..<6000 { unlink(store.maildir + "/cur/\(1000 + number).M\(number)P1.host\(number % 2 == 0 ? ":2,S" : ":2,SF")") }
        try store.deliver()
        let slim = try restarted(store)
        #expect(slim.messages.map(\.uid) == Array(1...100) + [6001, 6002])
        #expect(try UIDList(parsing: Array(store.text(store.maildir + "/dovecot-uidlist").utf8)).entries.map(\.uid) == slim.messages.map(\.uid))
        #expect(try inbox.refresh().messages.map(\.uid) == slim.messages.map(\.uid))
    }
}
