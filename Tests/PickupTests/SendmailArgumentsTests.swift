import Pickup
import Testing

@Suite struct SendmailArgumentsTests {
    private func parse(_ words: String..., calledAs name: String = "sendmail") throws -> SendmailArguments { try SendmailArguments(calledAs: name, words) }

    @Test func cronAndPHP() throws {
        let cron = try parse("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root")
        #expect(cron.fullName == "CronDaemon")
        #expect(cron.ignoresDots)
        #expect(cron.body == "8BITMIME")
        #expect(cron.recipients == ["root"])
        let php = try parse("-t", "-i", "-fwww@example.org")
        #expect(php.takesRecipientsFromHeader && php.ignoresDots)
        #expect(php.sender == "www@example.org")
    }

    @Test func lettersStandTogetherAndValuesApart() throws {
        let one = try parse("-ti", "-f", "a@b.example", "-oi", "-N", "never", "-R", "hdrs", "-V", "id 1", "x@y.example")
        #expect(one.takesRecipientsFromHeader && one.ignoresDots)
        #expect((one.sender, one.notify, one.returnContent, one.envelopeID) == ("a@b.example", "NEVER", "HDRS", "id 1"))
        #expect(one.recipients == ["x@y.example"])
    }

    @Test func whatOldProgramsAddSaysNothing() throws {
        let old = try parse("-v", "-m", "-n", "-U", "-Ac", "-Lname", "-O", "x=y", "-X", "/tmp/log", "-h", "5", "-om", "-o7", "-oA/etc/aliases", "-em", "-q30m", "a@b.example")
        #expect(old.mode == .send)
        #expect(old.recipients == ["a@b.example"])
        #expect(!old.ignoresDots)
    }

    @Test func anAddressThatLooksLikeAnOptionComesBehindTwoDashes() throws {
        #expect(try parse("-i", "--", "-t@example.org").recipients == ["-t@example.org"])
        #expect(try !parse("-i", "--", "-t").takesRecipientsFromHeader)
    }

    @Test func modes() throws {
        #expect(try parse("-bs").mode == .smtp)
        #expect(try parse("-bp").mode == .listQueue)
        #expect(try parse("-bi").mode == .newAliases)
        #expect(try parse("-q").mode == .flushQueue)
        #expect(try parse(calledAs: "mailq").mode == .listQueue)
        #expect(try parse(calledAs: "newaliases").mode == .newAliases)
        #expect(try parse("-bm", "a@b.example").mode == .send)
    }

    @Test(arguments: [["-bd"], ["-bv", "a@b.example"], ["-bz"], ["-Z"], ["-f"], ["-N", "never,delay"], ["-N", "often"], ["-R", "all"], ["-B", "9BIT"], ["-qRexample.org"]])
    func refused(_ words: [String]) {
        #expect(throws: SendmailArguments.Failure.self) { try SendmailArguments(words) }
    }
}
