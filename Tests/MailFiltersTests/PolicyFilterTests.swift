import InternetMessage
import Milter
import Policy
import Testing
@testable import MailFilters

/// What rules make of a message.
@Suite struct PolicyFilterTests {
    private func judge(_ text: String, _ message: Transaction) async throws -> (FilterAnswer, Transaction) {
        var message = message
        let answer = await PolicyFilter(rules: try rules("stage message\n" + text), delimiters: "+", logger: quiet).makeSession().endOfMessage(&message)
        return (answer, message)
    }

    @Test func onlyStagesWithRulesAreAsked() throws {
        let filter = PolicyFilter(rules: try rules("stage rcpt\nrule \"a\" then accept\nstage message\nrule \"b\" then accept\n"), delimiters: "+", logger: quiet)
        #expect(filter.stages == [.rcpt, .endOfMessage])
    }

    private static let grants: [(String, Set<Modification.Kind>)] = [
        ("reject", []), ("file into \"Junk\", add keyword \"$Junk\"", []), ("subject prefix \"[x]\"", [.addHeaders, .changeHeaders]),
        ("remove header \"X-A\"", [.addHeaders, .changeHeaders]), ("quarantine \"odd\"", [.quarantine]), ("copy to \"a@b.example\"", [.addRecipients]),
        ("redirect to \"a@b.example\", quarantine \"odd\"", [.addRecipients, .removeRecipients, .quarantine]),
    ]

    @Test func aFilterMayMakeTheChangesOfItsRulesAndNoOthers() throws {
        for (actions, changes) in Self.grants {
            let filter = PolicyFilter(rules: try rules("stage message\nrule \"a\" then \(actions)\n"), delimiters: "+", logger: quiet)
            #expect(filter.changes == changes, "\(actions)")
        }
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

    /// RFC 5322 §2.1.1: a folded subject stays folded; RFC 2047: what is no US-ASCII goes into encoded words.
    @Test func aSubjectKeepsItsForm() async throws {
        let folded = "Subject: one\r\n two\r\n\tthree"
        let (_, message) = try await judge("rule \"p\" then subject prefix \"[x]\"\n", transaction(folded))
        #expect(message.message.header.first("Subject")?.description == "Subject: [x] one\r\n two\r\n\tthree")
        let (_, bare) = try await judge("rule \"p\" then subject prefix \"[x]\"\n", transaction("Subject:one"))
        #expect(bare.message.header.first("Subject")?.description == "Subject: [x] one")
        let rule = "rule \"p\" then subject prefix \"[\u{fc}]\", add header \"X-A\" \"{header[Subject]}\"\n"
        let (_, made) = try await judge(rule, transaction("Subject: =?iso-8859-1?q?Gr=FC=DFe?="))
        #expect(made.message.header.first("Subject")?.description == "Subject: =?utf-8?B?W8O8XQ==?= =?iso-8859-1?q?Gr=FC=DFe?=")
        #expect(made.message.header.first("X-A")?.description == "X-A: =?utf-8?B?R3LDvMOfZQ==?=")
        #expect(try await judge(rule, transaction("Subject: =?utf-8?B?W8O8XQ==?= x")).1.modifications.count == 1)
    }

    /// RFC 5228 §2.7.2: rules see what a reader sees.
    @Test func headersAreDecodedForComparisons() async throws {
        let rule = "rule \"c\" when header[\"Subject\"] contains \"gr\u{fc}\u{df}e\" then reject 550 \"5.7.1\" \"{header[Subject]}\"\n"
        let (answer, _) = try await judge(rule, transaction("Subject: =?utf-8?q?Gr=C3=BC?=\r\n =?utf-8?q?=C3=9Fe=0D=0AX-Evil:_1?="))
        #expect(answer == .reject(SMTPReply(550, "5.7.1", "Gr\u{fc}\u{df}e  X-Evil: 1")))
        let (_, made) = try await judge("rule \"a\" then add header \"X-A\" \"{header[Subject]}\"\n", transaction("Subject: =?us-ascii?q?a=0D=0AX-Evil:_1?="))
        #expect(made.message.header.first("X-A")?.description == "X-A: a  X-Evil: 1")
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
