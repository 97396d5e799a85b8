import IMAPCore
import Testing

@Suite struct MailboxTests {
    @Test func names() {
        #expect(MailboxName("inBox") == .inbox && MailboxName("inbox2").text == "inbox2" && MailboxName("a").isInbox == false)
        #expect(MailboxName(wire: Array("Entwürfe".utf8))?.text == "Entwürfe")
        #expect(MailboxName(wire: [0xff]) == nil)
        #expect(MailboxName("Entwürfe").wire() == Array("Entw&APw-rfe".utf8) && MailboxName("Entwürfe").wire(utf8: true) == Array("Entwürfe".utf8))
    }

    @Test(arguments: [
        ("*", "a/b", true), ("%", "a", true), ("%", "a/b", false), ("a/%", "a/b", true), ("a/%", "a/b/c", false), ("a/%/c", "a/b/c", true), ("a*c", "a/b/c", true), ("inbox", "INBOX", true),
        ("inb*", "INBOX", false), ("Inbox/%", "INBOX/x", true), ("INBOX*", "INBOX", true), ("", "a", false), ("%%%*", "", true), ("a%b", "ab", true), ("a%b", "a/b", false), ("日*", "日本", true),
    ])
    func patterns(_ pattern: String, _ name: String, _ expected: Bool) {
        #expect(ListPattern(pattern, delimiter: "/").matches(MailboxName(name)) == expected)
    }

    @Test func below() {
        #expect(ListPattern("a/b", delimiter: "/").matchesBelow(MailboxName("a")) && !ListPattern("a/b", delimiter: "/").matchesBelow(MailboxName("b")))
        #expect(ListPattern("%", delimiter: "/").matchesBelow(MailboxName("a")) == false && ListPattern("*", delimiter: "/").matchesBelow(MailboxName("a")))
    }

    @Test func hostilePatternsTakeBoundedTime() {
        let pattern = String(repeating: "*a", count: 200)
        #expect(!ListPattern(pattern, delimiter: "/").matches(MailboxName(String(repeating: "a", count: 199) + "b")))
    }

    @Test(arguments: [("2,4:7,9,12:*", 15 as UInt32, "2,4:7,9,12:15"), ("*:4,5:7", 10, "4:10"), ("7:3", 10, "3:7"), ("559:*", 3, "3:559"), ("1,2,3", 9, "1:3"), ("*", 0, ""), ("4294967295,1:*", 4_294_967_295, "1:4294967295")])
    func sequenceSets(_ text: String, _ largest: UInt32, _ expected: String) throws {
        let set = try #require(SequenceSet(text))
        #expect(SequenceSet(set.ranges(largest: largest).map { .init(.number($0.lowerBound), .number($0.upperBound)) }).description == expected)
        #expect(set.description == text)
    }

    @Test func sequenceSetDetails() {
        for bad in ["", "0", "1:", ":1", "1,,2", "a", "1 ", "-1", "4294967296", "1:2:3"] { #expect(SequenceSet(bad) == nil) }
        #expect(SequenceSet.compact([1, 2, 3, 5, 7, 8])?.description == "1:3,5,7:8" && SequenceSet.compact([]) == nil)
        #expect(SequenceSet("2:*")?.contains(9, largest: 9) == true && SequenceSet("2:4")?.contains(5, largest: 9) == false)
        #expect(SequenceSet("1:3")?.exceeds(2) == true && SequenceSet("1:*")?.exceeds(2) == false && SequenceSet("*")?.exceeds(0) == true)
    }
}
