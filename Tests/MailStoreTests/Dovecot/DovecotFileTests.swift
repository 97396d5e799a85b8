import Foundation
import Testing
@testable import MailStore

@Suite struct UIDListTests {
    /// The example of Dovecot's own documentation of the format.
    static let sample = """
        3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1
        25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,
        25017 W2481 :1276533073.M242911P3632.kurkku:2,F

        """

    @Test func version3IsReadAndWritten() throws {
        let list = try UIDList(parsing: Array(Self.sample.utf8))
        #expect(list.uidValidity == 1_275_660_208)
        #expect(list.nextUID == 25022)
        #expect(list.entries.map(\.uid) == [25006, 25017])
        #expect(list.entries[1] == .init(uid: 25017, extensions: "W2481", base: "1276533073.M242911P3632.kurkku"))
        let again = try UIDList(parsing: list.serialised())
        #expect(again.entries == list.entries)
        #expect(again.otherFields == ["G3085f01b7f11094c501100008c4a11c1"])
    }

    @Test func appendedLinesMoveTheNextUID() throws {
        let list = try UIDList(parsing: Array((Self.sample + "25022 :1.x\n").utf8))
        #expect(list.nextUID == 25023)
    }

    @Test func aTornLastLineIsLeftOut() throws {
        #expect(try UIDList(parsing: Array((Self.sample + "25022 :1.x").utf8)).entries.count == 2)
    }

    @Test func version1IsRead() throws {
        let list = try UIDList(parsing: Array("1 7 5\n3 a.b:2,S\n".utf8))
        #expect((list.uidValidity, list.nextUID) == (7, 5))
        #expect(list.entries == [.init(uid: 3, extensions: "", base: "a.b")])
    }

    @Test func appendedLinesAreTakenAllOrNone() throws {
        var list = try UIDList(parsing: Array(Self.sample.utf8)), taken: [UInt32] = []
        #expect(!list.parseAppended(Array("25022 :a\n25022 :b\n".utf8)[...]) { taken.append($0.uid) })
        #expect(!list.parseAppended(Array("25021 :a\n".utf8)[...]) { taken.append($0.uid) })
        #expect(taken.isEmpty && list.nextUID == 25022)
        #expect(list.parseAppended(Array("25022 :a:2,S\n25030 W9 :b\n25031 :c".utf8)[...]) { taken.append($0.uid) })
        #expect(taken == [25022, 25030] && list.nextUID == 25031)
        #expect(list.takeAppended(Array("25031 :c\n".utf8)) && list.entries.last == .init(uid: 25031, extensions: "", base: "c"))
    }

    @Test(arguments: ["", "3 N1\n", "2 V1 N1\n", "3 V1 N9\n5 :a\n5 :b\n", "3 V1 N9\nx :a\n", "3 V0 N1\n", "3 V1 N9\n5 a\n", "3 V1 N9\n5 W1 ::2,S\n"])
    func whatCannotBeTrustedIsRefused(text: String) {
        #expect(throws: UIDList.Malformed.self) { try UIDList(parsing: Array(text.utf8)) }
    }
}

@Suite struct KeywordFileTests {
    @Test func indexesAreKeptAndGapsFilled() throws {
        var file = KeywordFile(parsing: Array("0 $Forwarded\n2 $Junk\n".utf8))
        #expect(file.keywords(in: 0b111) == ["$Forwarded", "$Junk"])
        #expect(try file.add("new") == 0b10)
        #expect(try file.add("$JUNK") == 0b100)
        #expect(String(decoding: file.serialised(), as: UTF8.self) == "0 $Forwarded\n1 new\n2 $Junk\n")
    }

    @Test func thereIsRoomFor26() throws {
        var file = KeywordFile()
        for index in 0..<26 { _ = try file.add("k\(index)") }
        #expect(file.isFull)
        #expect(throws: StoreError.tooManyKeywords) { try file.add("one-more") }
        #expect(throws: StoreError.invalidKeyword("a b")) { try file.add("a b") }
    }
}

@Suite struct SubscriptionFileTests {
    /// What one Character is in Swift may be two octets that the file gives a meaning to.
    @Test(arguments: ["a\r\nb", "\u{1}\u{5AB}\u{1}", "\t\u{301}x", "\u{1}t", "\r\n"])
    func everyNameComesBack(_ name: String) {
        var file = SubscriptionFile()
        file.set(["A", name], subscribed: true)
        let written = file.serialised()
        #expect(written.filter { $0 == 10 }.count == 3)
        #expect(SubscriptionFile(parsing: written).names.map { $0.map { Array($0.utf8) } } == [["A", name].map { Array($0.utf8) }])
    }

    @Test func bothVersionsAreReadAndVersion2Written() {
        #expect(SubscriptionFile(parsing: Array("V\t2\n\nA\n\u{1}\nB\t\u{1}\n".utf8)).names == [["A"]])
        let old = SubscriptionFile(parsing: Array("INBOX\nArchive.2026\n".utf8))
        #expect(old.names == [["INBOX"], ["Archive", "2026"]])
        #expect(String(decoding: old.serialised(), as: UTF8.self) == "V\t2\n\nINBOX\nArchive\t2026\n")
        #expect(SubscriptionFile(parsing: old.serialised()) == old)
    }
}

@Suite struct DotLockTests {
    @Test func aHeldLockIsHonouredUpToTheDeadline() throws {
        let temporary = try TemporaryStore()
        let path = temporary.root + "/x.lock"
        try Data("1:elsewhere.example".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: StoreError.lockTimeout(path: path)) { try DotLock.holding(path, deadline: .milliseconds(5)) { () throws(StoreError) in } }
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test func anOldLockIsBroken() throws {
        let temporary = try TemporaryStore()
        let path = temporary.root + "/x.lock"
        try Data("1:elsewhere.example".utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -600)], ofItemAtPath: path)
        #expect(try DotLock.holding(path, deadline: .milliseconds(5)) { () throws(StoreError) in 7 } == 7)
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}

@Suite struct UIDValidityTests {
    @Test func noTwoMailboxesGetTheSame() throws {
        let temporary = try TemporaryStore()
        let validities = UIDValidities(folder: temporary.root)
        let given = try (0..<5).map { _ in try validities.next() }
        #expect(zip(given, given.dropFirst()).allSatisfy { $0 < $1 })
    }
}
