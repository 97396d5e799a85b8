import InternetMessage
import Testing
@testable import Aliases

/// The sentences of aliases(5).
@Suite struct AliasTableTests {
    private func faults(_ text: String, _ files: [String: String] = [:]) -> [String] {
        do {
            _ = try aliasTable(text, files)
            return []
        } catch { return (error as? TableError)?.faults.map(\.description) ?? ["\(error)"] }
    }

    @Test func anAliasHasANameAndOneOrMoreTargets() throws {
        let table = try aliasTable("""
            # comment
            postmaster: root

            root:alice@example.org , bob
            """)
        #expect(table.targets(of: "postmaster") == [.name("root")])
        #expect(table.targets(of: "root") == [.address(try address("alice@example.org")), .name("bob")])
        #expect(table.targets(of: "alice") == nil)
        #expect(table.names == ["postmaster", "root"])
    }

    /// "A logical line starts with non-whitespace text. A line that starts with whitespace continues a logical line."
    @Test func linesThatStartWithWhiteSpaceContinue() throws {
        let table = try aliasTable("list: a,\n  b,\n# between\n   # also\n\n\tc\nnext: d\r\n")
        #expect(table.targets(of: "list") == [.name("a"), .name("b"), .name("c")])
        #expect(table.targets(of: "next") == [.name("d")])
        #expect(faults(" a: b").first?.hasPrefix("aliases:1: ") == true)
    }

    /// "The name is folded to lowercase, in order to make database lookups case insensitive."
    @Test func namesHaveNoCase() throws {
        let table = try aliasTable("MixedCase: Alice")
        #expect(table.targets(of: "mixedcase") == [.name("alice")] && table.targets(of: "MIXEDCASE") == [.name("alice")])
    }

    /// "Use double quotes when the name contains any special characters such as whitespace, `#', `:', or `@'."
    @Test func quotedNames() throws {
        let table = try aliasTable("\"John Doe\": john\n\"a:b\": x\n\"#\": y\n\"q\\\"q\": z\nlist: \"John Doe\", \"x y\"@example.org, \"plain@example.org\"")
        #expect(table.targets(of: "john doe") == [.name("john")])
        #expect(table.targets(of: "a:b") == [.name("x")] && table.targets(of: "#") == [.name("y")] && table.targets(of: "q\"q") == [.name("z")])
        let quoted = EmailAddress(localPart: "x y", domain: try domain("example.org"))
        #expect(table.targets(of: "list") == [.name("john doe"), .address(quoted), .address(try address("plain@example.org"))])
    }

    /// ":include:/file/name: Mail is sent to the destinations listed in the named file. Lines in :include: files have the
    /// same syntax as the right-hand side of alias entries."
    @Test func includedFiles() throws {
        let table = try aliasTable("list: first, :include:/lists/a, last", ["/lists/a": "# people\nalice, bob@example.org\n  , carol\n:include:/lists/b\n", "/lists/b": "dan"])
        let names: [AliasTarget] = [.name("first"), .name("alice"), .address(try address("bob@example.org")), .name("carol"), .name("dan"), .name("last")]
        #expect(table.targets(of: "list") == names)
        #expect(faults("x: :include:/not/there") == ["aliases:1: :include:/not/there cannot be read: No such file or directory"])
        #expect(faults("x: :include:/a", ["/a": "ok\n|cmd"]).first?.hasPrefix("/a:2: \"|cmd\"") == true)
        #expect(faults("x: :include:/a", ["/a": ":include:/b", "/b": ":include:/a"]) == ["/b:1: :include:/a includes itself"])
        #expect(faults("x: :include:relative").count == 1)
    }

    @Test func aBackslashStopsAliases() throws {
        #expect(try aliasTable("alice: \\alice, \"\\bob\"").targets(of: "alice") == [.final("alice"), .final("bob")])
    }

    @Test(arguments: ["x: |/bin/sh", "x: \"|/usr/bin/vacation alice\"", "x: a, \"| cmd\"", "x: /var/mail/x", "x: \"/var/mail/a b\"", "x: /dev/null", ":include:/x: |y"])
    func commandsAndFilesAreRefused(_ text: String) {
        let told = faults("fine: alice\n" + text)
        #expect(told.count == 1 && told[0].hasPrefix("aliases:2: "), "\(told)")
    }

    @Test(arguments: ["no colon here", "x:", "x: ,", "x: a b", "x: @example.org", "x: \"open", "\"open: x", "x@y.example: z", "two words: x", "x: a@", "x: a@b@c", ":fail: x", "x: :fail: no"])
    func nonsense(_ text: String) { #expect(faults(text).count == 1) }

    @Test func everyFaultIsTold() {
        #expect(faults("a: |x\nb: c\nd: /e\n").count == 2)
    }

    /// postalias(1) warns of duplicates and keeps the first.
    @Test func theFirstOfTwoCounts() throws {
        let table = try aliasTable("a: one\nA: two")
        #expect(table.targets(of: "a") == [.name("one")])
        #expect(table.remarks.count == 1 && table.remarks[0].hasPrefix("aliases:2: "))
    }

    @Test func nothingIsAddedWhenSomethingIsWrong() throws {
        var table = try aliasTable("a: one")
        #expect(throws: TableError.self) { try table.add("b: two\nc: |x", file: "more", include: includes()) }
        #expect(table.targets(of: "b") == nil && table.names == ["a"])
    }
}
