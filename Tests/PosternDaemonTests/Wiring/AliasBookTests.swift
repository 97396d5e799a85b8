import Accounts
import Aliases
import BlockingPool
import Foundation
import InternetMessage
import MailQueue
import Milter
import NetworkAddress
import SMTPServer
import Tags
import Testing
@testable import PosternDaemon

/// Aliases, catch-all and rewritten senders, as the address book answers for them.
@Suite struct AliasBookTests {
    private static let settings = """
        myhostname = "mx.home.example"
        mydestination = ["home.example", "second.example"]
        alias_maps = ["hash:aliases"]
        virtual_alias_maps = ["virtual"]
        virtual_alias_domains = ["all.example"]
        catch_all = { "all.example" = "bob", "second.example" = "alice@home.example" }
        [virtual_aliases]
        "forward@home.example" = ["carol@away.example"]
        "whole.example" = "x"
        "@whole.example" = "alice@home.example"
        """
    private static let aliases = "sales: bob\nteam: alice, bob, carol@away.example\nlist: alice, dan@away.example\nowner-list: bob\nnobody-here: ghost\nhalf: alice, ghost\nloop: pool\npool: loop\nabuse: bob\n"
    private static let virtual = "info@all.example sales@home.example\n"

    /// Accounts `alice@home.example`, and `bob` with an address of the same name in home.example.
    private func withBook(_ body: (AddressBook) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        try Self.aliases.write(toFile: folder.path + "/aliases", atomically: true, encoding: .utf8)
        try Self.virtual.write(toFile: folder.path + "/virtual", atomically: true, encoding: .utf8)
        let settings = try SettingsFile.parse(Self.settings, file: "postern.toml", baseFolder: folder.path)
        let accounts = try AccountStore(path: folder.path + "/a.sqlite", pool: BlockingPool(threads: 1))
        try accounts.add("alice@home.example", password: "correct horse")
        try accounts.add("bob", password: "correct horse", addresses: [try #require(EmailAddress("bob@home.example"))])
        try await body(AddressBook(settings, accounts: accounts, tables: try AddressTables(settings, srsSecrets: [Array("a secret".utf8)])))
    }

    private func address(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text), "\(text)") }

    @Test(arguments: [
        ("sales@home.example", RecipientStanding.local), ("Sales+x@second.example", .local), ("team@home.example", .local), ("forward@home.example", .local),
        ("nobody-here@home.example", .unknown), ("half@home.example", .local), ("ghost@home.example", .unknown),
        ("info@all.example", .local), ("anything@all.example", .local), ("sales@all.example", .local), ("x@second.example", .local), ("y@whole.example", .local),
        ("postmaster@all.example", .local), ("abuse@home.example", .local), ("postmaster@mx.home.example", .local),
        ("sales@away.example", .relay), ("sales@mx.home.example", .relay), ("SRS0=AAAA=AA=a.example=b@home.example", .unknown), ("SRS0=AAAA=AA=a.example=b@away.example", .relay),
    ])
    func standings(_ text: String, _ expected: RecipientStanding) async throws {
        let address = try address(text)
        try await withBook { #expect(await $0.standing(of: address) == expected) }
    }

    /// What `postern check` says of the same tables.
    @Test func notesForTheOperator() throws {
        let folder = try TemporaryFolder()
        try Self.aliases.write(toFile: folder.path + "/aliases", atomically: true, encoding: .utf8)
        try (Self.virtual + "@second.example alice@home.example\n@other.example x\n").write(toFile: folder.path + "/virtual", atomically: true, encoding: .utf8)
        let file = Self.settings.replacingOccurrences(of: "catch_all = {", with: "data_directory = \".\"\ncatch_all = { \"not.example\" = \"bob\", \"home.example\" = \"zoe\", ")
        let settings = try SettingsFile.parse(file, file: "postern.toml", baseFolder: folder.path)
        let accounts = try AccountStore(path: folder.path + "/accounts.sqlite", pool: BlockingPool(threads: 1))
        try accounts.add("alice@home.example", password: "correct horse", addresses: [try address("alice@second.example")])
        let notes = try AddressCheck.notes(settings).joined(separator: "\n")
        for word in ["alias nobody-here: mail to it is refused, nobody here has ghost@home.example", "alias loop: mail to it is put off",
                     "virtual alias @other.example: the domain is neither", "catch_all of not.example: the domain is neither",
                     "catch_all of home.example: there is no account \"zoe\"", "virtual alias @second.example takes the mail of accounts there too (alice@second.example)"] {
            #expect(notes.contains(word), "\(word): \(notes)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/srs.secret"), "to check changes nothing")
    }

    @Test func aCircleIsToldAndMayBeMended() async throws {
        let address = try address("loop@home.example")
        try await withBook { book in
            guard case .unavailable(let why) = await book.standing(of: address) else { return #expect(Bool(false), "not put off") }
            #expect(why.contains("loop@home.example"))
        }
    }

    @Test func whereMailGoes() async throws {
        try await withBook { book in
            func places(_ text: String) throws -> [String] {
                try book.destinations(of: try address(text), from: try address("x@source.example")).map { place in
                    if case .account(let name) = place.kind { "\(place.address) \(name)" } else { "\(place.address)" }
                }
            }
            let expected = [
                ("team+x@second.example", ["alice@second.example alice@home.example", "bob@second.example bob", "carol@away.example"]),
                ("half@home.example", ["alice@home.example alice@home.example"]), ("forward+x@home.example", ["carol+x@away.example"]),
                ("any@all.example", ["any@all.example bob"]), ("abuse@home.example", ["bob@home.example bob"]),
            ]
            for (text, expected) in expected {
                let found = try places(text)
                #expect(found == expected, "\(text)")
            }
            let listed = try book.destinations(of: try address("list@home.example"), from: nil)
            #expect(listed.map { $0.owner?.description } == ["owner-list@home.example", "owner-list@home.example"])
        }
    }

    /// What is behind the delimiter, or all of it where a catch-all takes it.
    @Test(arguments: [
        ("alice+Shop@home.example", "alice@home.example", "shop"), ("sales+x@home.example", "sales@home.example", "x"), ("Shop.7@all.example", "*@all.example", "shop.7"),
        ("shop+x@all.example", "*@all.example", "shop+x"), ("any@whole.example", "*@whole.example", "any"), ("info+x@all.example", "info@all.example", "x"),
    ])
    func tags(_ text: String, _ base: String, _ detail: String) async throws {
        let expected = TagAddress(base: try address(base), detail: detail), given = try address(text)
        try await withBook { #expect($0.tag(in: given) == expected) }
    }

    @Test(arguments: ["alice@home.example", "sales@home.example", "info@all.example", "postmaster@all.example", "nobody@home.example", "x@away.example", "alice+@home.example"])
    func noTags(_ text: String) async throws {
        let given = try address(text)
        try await withBook { #expect($0.tag(in: given) == nil) }
    }

    @Test func writingAsAnAlias() async throws {
        try await withBook { book in
            for (text, may) in [("sales@home.example", true), ("sales+x@home.example", true), ("any@all.example", true), ("bob@home.example", true), ("abuse@home.example", true),
                                ("team@home.example", false), ("alice@home.example", false), ("forward@home.example", false), ("nobody-here@home.example", false),
                                ("loop@home.example", false), ("carol@away.example", false), ("half@home.example", false)] {
                let written = try address(text)
                #expect(book.mayWrite("bob", as: written) == may, "\(text)")
            }
        }
    }

    @Test func onlyBouncesGoBackThroughARewrittenSender() async throws {
        try await withBook { book in
            let ann = try address("ann@source.example"), srs = try #require(book.tables?.srs)
            let rewritten = try #require(srs.forward(ann, now: Int(Date().timeIntervalSince1970)))
            #expect(await book.standing(of: rewritten, from: nil) == .local)
            #expect(await book.standing(of: rewritten, from: ann) == .unknown)
            #expect(try book.destinations(of: rewritten, from: nil).map(\.address) == [ann])
            #expect(book.author(behind: rewritten) == ann && book.author(behind: ann) == ann)
            #expect(book.tag(in: rewritten) == nil)
        }
    }

    // MARK: What becomes of the envelope

    private func routed(_ book: AddressBook, _ recipient: String, from sender: String?, _ parameters: [String: String] = [:], isOriginating: Bool = false) throws -> RecipientRouter.Routed {
        var facts = ConnectionFacts(listener: "smtp")
        if isOriginating { facts.authenticatedUser = "bob" }
        let sender = try sender.map { try address($0) }
        let transaction = Transaction(id: "t", connection: facts, sender: EnvelopeSender(sender), recipients: [])
        let router = RecipientRouter(book: book, transaction: transaction, sender: QueueSender(sender, returnContent: .full, envelopeID: "e"), quarantine: nil)
        return try router.route(EnvelopeRecipient(try address(recipient), parameters: parameters))
    }

    @Test func sendersOfWhatLeaves() async throws {
        try await withBook { book in
            let out = try routed(book, "team@home.example", from: "ann@source.example").recipients
            #expect(out.map { $0.sender == nil } == [true, true, false])
            #expect(out[2].sender?.address?.localPart.hasPrefix("SRS0=") == true && out[2].sender?.envelopeID == "e")
            for own in ["alice@home.example", "x@mx.home.example", nil] {
                #expect(try routed(book, "forward@home.example", from: own).recipients.map(\.sender) == [nil])
            }
            // What our own people send elsewhere is theirs.
            #expect(try routed(book, "x@away.example", from: "ann@source.example", isOriginating: true).recipients.map(\.sender) == [nil])
            // What a filter leads out is not.
            #expect(try routed(book, "x@away.example", from: "ann@source.example").recipients.first?.sender?.address?.domainText == "home.example")
            let list = try routed(book, "list@home.example", from: "ann@source.example").recipients
            #expect(list.map { $0.sender?.address?.description } == ["owner-list@home.example", "owner-list@home.example"])
            #expect(list[0].sender?.envelopeID == nil && list[0].sender?.returnContent == nil)
            #expect(try routed(book, "list@home.example", from: nil).recipients.map(\.sender) == [nil, nil])
        }
    }

    /// RFC 3461 §5.2.7.2, §5.2.7.3 (c), §5.2.7.1.
    @Test func requestsOfTheSender() async throws {
        try await withBook { book in
            let asked = ["NOTIFY": "SUCCESS,DELAY"]
            let one = try routed(book, "forward@home.example", from: "ann@source.example", asked)
            #expect(one.recipients.map(\.notify) == [[.success, .delay]] && one.notices.isEmpty)
            #expect(one.recipients[0].originalRecipient == "rfc822;forward@home.example" && one.recipients[0].original.description == "forward@home.example")
            let several = try routed(book, "team@home.example", from: "ann@source.example", asked)
            #expect(several.recipients.map(\.notify) == [[.delay], [.delay], [.delay]] && several.notices.map(\.action) == [.expanded])
            #expect(several.notices.first?.recipient.address.description == "team@home.example")
            let list = try routed(book, "list@home.example", from: "ann@source.example", asked)
            #expect(list.recipients.map(\.notify) == [nil, nil] && list.notices.map(\.action) == [.delivered])
            #expect(list.recipients.map(\.originalRecipient) == [nil, nil])
            #expect(try routed(book, "team@home.example", from: "ann@source.example", ["NOTIFY": "NEVER"]).recipients.map(\.notify) == [[], [], []])
            #expect(try routed(book, "team@home.example", from: "ann@source.example").notices.isEmpty)
            #expect(try routed(book, "alice@home.example", from: "ann@source.example", asked).recipients.first?.originalRecipient == nil)
        }
    }
}
