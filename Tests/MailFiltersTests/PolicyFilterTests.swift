import InternetMessage
import Milter
import Policy
import Testing
@testable import MailFilters

/// What rules make of a message.
@Suite struct PolicyFilterTests {
    private func judge(_ text: String, _ message: Transaction) async throws -> (FilterAnswer, Transaction) {
        var message = message
        let answer = await PolicyFilter(rules: try rules("stage message\n" + text), delimiters: "+", logger: quiet).endOfMessage(&message)
        return (answer, message)
    }

    @Test func onlyStagesWithRulesAreAsked() throws {
        let filter = PolicyFilter(rules: try rules("stage rcpt\nrule \"a\" then accept\nstage message\nrule \"b\" then accept\n"), delimiters: "+", logger: quiet)
        #expect(filter.stages == [.rcpt, .endOfMessage])
    }

    @Test func actionsOfEveryKind() async throws {
        let (answer, message) = try await judge("""
            rule "mark" then add header "X-A" "1", set header "X-B" "2", set header "X-New" "3", remove header "X-C", subject prefix "[x]",
              file into "Junk", add keyword "$Junk"
            """, transaction("Subject: hello\r\nX-B: old\r\nx-b: older\r\nX-C: 1\r\nX-C: 2"))
        #expect(answer == .continue)
        let header = message.message.header
        #expect(header.all("X-A").map(\.value) == ["1"])
        #expect(header.all("X-B").map(\.value) == ["2"])
        #expect(header.all("X-New").map(\.value) == ["3"])
        #expect(header.count(of: "X-C") == 0)
        #expect(header.all("Subject").map(\.value) == ["[x] hello"])
        #expect(message.deliveryHints.folder == "Junk")
        #expect(message.deliveryHints.keywords == ["$Junk"])
    }

    @Test func aSubjectIsPrefixedOnceAndMadeWhereThereIsNone() async throws {
        let rule = "rule \"p\" then subject prefix \"[x]\"\n"
        #expect(try await judge(rule, transaction("Subject: [x] hello")).1.modifications.isEmpty)
        let (_, made) = try await judge(rule, transaction("From: a@a.example"))
        #expect(made.message.header.all("Subject").map(\.value) == ["[x]"])
    }

    /// What is refused is not changed: the next filter must not see marks of a message that is none.
    @Test func aRefusalMakesNoChanges() async throws {
        let (answer, message) = try await judge("rule \"m\" then add header \"X-A\" \"1\"\nrule \"r\" then reject 550 \"5.7.1\" \"no\"\n", transaction("Subject: x"))
        #expect(answer == .reject(SMTPReply(550, "5.7.1", "no")))
        #expect(message.modifications.isEmpty)
    }

    /// `accept` ends the rules of its stage; the filters behind (signing) still run.
    @Test func acceptIsNotTheEndOfTheChain() async throws {
        #expect(try await judge("rule \"a\" then accept\nrule \"r\" then reject\n", transaction("Subject: x")).0 == .continue)
    }

    @Test func quarantine() async throws {
        let (answer, message) = try await judge("rule \"q\" then quarantine \"odd\"\n", transaction("Subject: x"))
        #expect(answer == .continue && message.quarantineReason == "odd")
    }
}
