import InternetMessage
import Testing

@Suite struct AddressListTests {
    func parse(_ text: String) -> AddressList { AddressList.parse(Array(text.utf8)) }

    func shown(_ text: String) -> [String] {
        parse(text).mailboxes.map { box in
            (box.name.map { String(decoding: $0, as: UTF8.self) + " " } ?? "") + "<" + box.localPart + (box.domain.isEmpty ? "" : "@" + box.domain) + ">"
        }
    }

    @Test(arguments: [
        ("john@example.org", ["<john@example.org>"]),
        (" John Doe <john@example.org>\r\n", ["John Doe <john@example.org>"]),
        (#""Joe Q. Public" <john.q.public@example.com>"#, ["Joe Q. Public <john.q.public@example.com>"]),
        (#"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>"#, ["Mary Smith <mary@x.test>", "<jdoe@example.org>", "Who? <one@y.test>"]),
        (#"<boss@nil.test>, "Giant; \"Big\" Box" <sysservices@example.net>"#, ["<boss@nil.test>", #"Giant; "Big" Box <sysservices@example.net>"#]),
        // RFC 5322 Appendix A.5: comments
        ("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", ["Pete <pete@silly.test>"]),
        // Appendix A.6.1: obsolete
        ("Joe Q. Public <john.q.public@example.com>", ["Joe Q. Public <john.q.public@example.com>"]),
        ("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example", ["Mary Smith <mary@example.net>", "<jdoe@test.example>"]),
        ("pete@x.test (Pete (the) Great)", ["Pete (the) Great <pete@x.test>"]),
        (#""quoted local"@example.org"#, ["<quoted local@example.org>"]),
        ("a@[192.0.2.1]", ["<a@[192.0.2.1]>"]),
        ("Jos\u{e9} <jos\u{e9}@b\u{fc}cher.example>", ["Jos\u{e9} <jos\u{e9}@b\u{fc}cher.example>"]),
    ])
    func wellFormed(_ text: String, _ expected: [String]) {
        #expect(shown(text) == expected)
        #expect(parse(text).isWellFormed)
    }

    @Test func sourceRouteIsKept() { #expect(parse("<@a.test,@b.test:mary@example.net>").mailboxes.first?.route == "@a.test,@b.test") }

    /// RFC 5322 Appendix A.1.3.
    @Test func groups() {
        let list = parse("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;, x@y.test")
        #expect(list.isWellFormed)
        guard list.entries.count == 2, case .group(let name, let members) = list.entries[0] else { Issue.record("no group"); return }
        #expect(String(decoding: name, as: UTF8.self) == "A Group")
        #expect(members.map(\.localPart) == ["c", "joe", "jdoe"])
        #expect(parse("Undisclosed recipients:;").entries == [.group(name: Array("Undisclosed recipients".utf8), members: [])])
    }

    @Test(arguments: [
        ("broken <a@b, good@x.test", ["<good@x.test>"]),
        ("a@b@c, good@x.test", ["<a@b>", "<good@x.test>"]),
        (#""unclosed, good@x.test"#, ["<good@x.test>"]),
        ("<>, good@x.test", ["<>", "<good@x.test>"]),
        ("group: a@x, b@y", ["<a@x>", "<b@y>"]),
        ("just words", ["<justwords>"]),
        ("@, good@x.test", ["<good@x.test>"]),
        (";;; good@x.test", []),
    ])
    func malformedIsReportedAndSurvived(_ text: String, _ expected: [String]) {
        #expect(shown(text) == expected)
        #expect(!parse(text).isWellFormed)
    }

    @Test func addressForComparison() {
        #expect(parse("X <\"a b\"@EXAMPLE.org>").mailboxes.first?.address?.description == "\"a b\"@example.org")
        #expect(parse("X <a@b..c>").mailboxes.first?.address == nil)
    }

    @Test func hostileTextTakesBoundedTime() {
        for text in [String(repeating: "(", count: 50_000), String(repeating: "a,", count: 50_000), String(repeating: "<", count: 50_000),
            String(repeating: "a:", count: 50_000), String(repeating: "\"", count: 50_001), String(repeating: #""\","#, count: 50_000)] {
            #expect(parse(text).mailboxes.count <= AddressList.limit)
        }
    }
}
