import InternetMessage
import NetworkAddress
import Testing
@testable import Aliases

/// Look-ups in the order of virtual(5) and local(8), and their limits.
@Suite struct ExpanderTests {
    private func expander(virtual: String = "", aliases: String = "", _ change: (inout AddressExpander.Rules) -> Void = { _ in }) throws -> AddressExpander {
        var rules = AddressExpander.Rules(origin: try domain("home.example"))
        rules.localDomains = [try domain("home.example"), try domain("second.example")]
        rules.delimiters = "+"
        change(&rules)
        return AddressExpander(virtual: try virtualTable(virtual), aliases: try aliasTable(aliases), rules: rules)
    }

    private func texts(_ expander: AddressExpander, _ text: String) throws -> [String] {
        try expander.expand(try address(text)).targets.map(\.address.description)
    }

    @Test func withoutAliasesAnAddressIsItself() throws {
        let one = try expander(), two = try expander(virtual: "x@home.example y")
        for expander in [one, two] {
            let expansion = try expander.expand(try address("Alice@home.example"))
            #expect(expansion == Expansion(targets: [.init(try address("Alice@home.example"))], isMapped: false))
        }
    }

    /// virtual(5): user+extension@domain, user@domain, user+extension, user, and @domain.
    @Test(arguments: [
        ("user+x@home.example", "one"), ("user+y@home.example", "two+y"), ("user+x@second.example", "three"), ("user+y@second.example", "four+y"),
        ("other@home.example", "five"), ("other+y@home.example", "five"),
    ])
    func virtualOrder(_ text: String, _ expected: String) throws {
        let expander = try expander(virtual: """
            user+x@home.example one@t.example
            user@home.example two@t.example
            user+x three@t.example
            user four@t.example
            @home.example five@t.example
            """)
        #expect(try texts(expander, text) == [expected + "@t.example"])
    }

    @Test func namesHoldOnlyInOurDomains() throws {
        #expect(try texts(expander(virtual: "user alice@home.example"), "user@away.example") == ["user@away.example"])
    }

    /// "When the result has the form @otherdomain, the result becomes the same user in otherdomain."
    @Test func aWholeDomainMoves() throws {
        #expect(try texts(expander(virtual: "@old.example @home.example"), "Bob+x@old.example") == ["Bob+x@home.example"])
    }

    /// local(8): name+foo, then name; for aliases extensions are not propagated unless asked for.
    @Test func aliasOrder() throws {
        let table = "list+x: alice\nlist: bob, carol@away.example"
        #expect(try texts(expander(aliases: table), "list+x@home.example") == ["alice@home.example"])
        #expect(try texts(expander(aliases: table), "LIST+y@second.example") == ["bob@second.example", "carol@away.example"])
        #expect(try texts(expander(aliases: table) { $0.aliasPropagates = true }, "list+y@home.example") == ["bob+y@home.example", "carol+y@away.example"])
        #expect(try texts(expander(aliases: table), "list@away.example") == ["list@away.example"])
        #expect(try texts(expander(virtual: "u@home.example v@t.example") { $0.virtualPropagates = false }, "u+y@home.example") == ["v@t.example"])
        #expect(try texts(expander(aliases: table) { $0.delimiters = "" }, "list+y@home.example") == ["list+y@home.example"])
    }

    @Test func virtualFirstThenAliasesThenVirtualAgain() throws {
        let expander = try expander(virtual: "shop@second.example sales@home.example\nout@home.example out@away.example", aliases: "sales: bob, out")
        #expect(try texts(expander, "shop@second.example") == ["bob@home.example", "out@away.example"])
    }

    @Test func duplicatesGo() throws {
        let expander = try expander(aliases: "all: a, b, team\nteam: B, c, a@home.example")
        #expect(try texts(expander, "all@home.example") == ["a@home.example", "b@home.example", "c@home.example"])
    }

    @Test func anEntryThatNamesItselfMeansTheMailbox() throws {
        #expect(try texts(expander(aliases: "alice: alice, bob@away.example"), "alice@home.example") == ["alice@home.example", "bob@away.example"])
        #expect(try texts(expander(aliases: "alice: \\alice, bob\nbob: \\alice"), "alice@home.example") == ["alice@home.example"])
        #expect(try texts(expander(virtual: "@home.example all@home.example\nalice@home.example alice@home.example\nall@home.example alice@home.example"), "alice@home.example") == ["alice@home.example"])
        // Done with virtual aliases, it goes on to the others.
        #expect(try texts(expander(virtual: "alice@home.example alice@home.example", aliases: "alice: bob"), "alice@home.example") == ["bob@home.example"])
    }

    @Test func circles() throws {
        let pure = try expander(virtual: "a@home.example b@home.example\nb@home.example a@home.example")
        #expect(throws: ExpansionError.loop(try address("a@home.example"))) { try pure.expand(try address("a@home.example")) }
        let pureAliases = try expander(aliases: "a: b\nb: c\nc: a")
        #expect(throws: ExpansionError.self) { try pureAliases.expand(try address("b@home.example")) }
        // Two lists that name each other still have members.
        #expect(try texts(expander(aliases: "a: b, alice\nb: a, bob"), "a@home.example") == ["bob@home.example", "alice@home.example"])
    }

    @Test func depthIsBounded() throws {
        let chain = (0..<1200).map { "n\($0): n\($0 + 1)" }.joined(separator: "\n")
        let expander = try expander(aliases: chain)
        #expect(throws: ExpansionError.tooDeep(try address("n0@home.example"), limit: 1000)) { try expander.expand(try address("n0@home.example")) }
        #expect(try texts(expander, "n201@home.example") == ["n1200@home.example"])
    }

    @Test func sizeIsBounded() throws {
        let list = (0..<1001).map { "m\($0)" }.joined(separator: ",")
        let expander = try expander(aliases: "all: \(list)")
        #expect(throws: ExpansionError.tooLarge(try address("all@home.example"), limit: 1000)) { try expander.expand(try address("all@home.example")) }
        #expect(try texts(self.expander(aliases: "all: \(list)") { $0.sizeLimit = 1001 }, "all@home.example").count == 1001)
    }

    /// local(8), owner_request_special: the innermost list's owner, where it has one.
    @Test func ownersOfLists() throws {
        let expander = try expander(aliases: "list: alice, inner, plain\nowner-list: bob\ninner: carol@away.example\nowner-inner: dan\nplain: erin") { $0.delimiters = "-" }
        let expansion = try expander.expand(try address("list@home.example"))
        #expect(expansion.targets.map { $0.owner?.description } == ["owner-list@home.example", "owner-inner@home.example", "owner-list@home.example"])
        // The owner's own mail is no list's, nor is `owner-list` the name `owner` with an extension.
        #expect(try expander.expand(try address("owner-list@home.example")) == Expansion(targets: [.init(try address("bob@home.example"), isName: true)], isMapped: true))
    }
}
