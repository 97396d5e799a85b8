import Accounts
import BlockingPool
import Foundation
import InternetMessage
import MailQueue
import Milter
import NetworkAddress
import SMTPServer
import Testing
@testable import PosternDaemon

/// Whose an address is; above all, what is not ours must never look as if it were.
@Suite struct AddressBookTests {
    /// alice and an alias, bob; domains home.example and second.example.
    private func withBook(delimiter: String = "+", postmaster: String = "", _ body: (AddressBook) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        let accounts = try AccountStore(path: folder.path + "/a.sqlite", pool: BlockingPool(threads: 1))
        try accounts.add("alice@home.example", password: "correct horse", addresses: [try #require(EmailAddress("sales+eu@second.example"))])
        try accounts.add("bob@home.example", password: "correct horse")
        var settings = Settings()
        settings[Known.myhostname] = try #require(DomainName("mx.home.example"))
        settings[Known.mydestination] = ["home.example", "second.example"].compactMap { DomainName($0) }
        settings[Known.recipientDelimiter] = delimiter
        settings[Known.postmaster] = postmaster
        try await body(AddressBook(settings, accounts: accounts))
    }

    private func address(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text)) }

    @Test(arguments: [
        ("alice@home.example", RecipientStanding.local), ("ALICE@Home.Example", .local), ("alice+shop@home.example", .local), ("alice+@home.example", .local),
        ("sales+eu@second.example", .local), ("sales@second.example", .unknown), ("nobody@home.example", .unknown), ("+alice@home.example", .unknown),
        ("alice@second.example", .unknown), ("alice@away.example", .relay), ("alice@sub.home.example", .relay), ("alice@mx.home.example", .relay),
        // Old ways of routing are no way through: these name a local part of ours, and nobody has it.
        ("x%away.example@home.example", .unknown), ("away.example!x@home.example", .unknown), ("\"x@away.example\"@home.example", .unknown),
        ("\"alice@home.example\"@away.example", .relay),
        // Literals are no domain of ours, whatever address they name.
        ("alice@[127.0.0.1]", .relay), ("alice@[IPv6:::1]", .relay),
        // RFC 5321 §4.5.1, RFC 2142
        ("postmaster@home.example", .local), ("PostMaster@mx.home.example", .local), ("abuse@second.example", .local), ("postmaster@away.example", .relay),
        // Whom cron writes to, and whoever answers a bounce; not the namesakes in domains of mail.
        ("root@mx.home.example", .local), ("MAILER-DAEMON@mx.home.example", .local), ("root@home.example", .unknown), ("root@away.example", .relay),
    ])
    func standings(_ text: String, _ expected: RecipientStanding) async throws {
        let address = try address(text)
        try await withBook { book in #expect(await book.standing(of: address) == expected) }
    }

    @Test func eachDelimiterCountsByItself() async throws {
        try await withBook(delimiter: "+-") { book in
            let tags = try ["Alice-Shop@home.example", "alice+shop@home.example"].map { book.tag(in: try address($0)) }
            #expect(tags[0] != nil && tags[0] == tags[1])
        }
        let tagged = try address("alice+shop@home.example")
        try await withBook(delimiter: "") { book in
            #expect(await book.standing(of: tagged) == .unknown)
        }
    }

    @Test func thePostmasterIsWhoIsNamed() async throws {
        try await withBook(postmaster: "Bob@home.example") { book in
            guard case .account(let account, _, _) = try book.owner(of: try #require(EmailAddress("postmaster@home.example"))) else {
                Issue.record("nobody is postmaster")
                return
            }
            #expect(account.name == "bob@home.example")
        }
    }

    @Test func writingAsSomebody() async throws {
        try await withBook { book in
            let may = [
                ("alice@home.example", "Alice@home.example"), ("alice@home.example", "alice+list@home.example"), ("alice@home.example", "sales+eu@second.example"),
                // A log-in of Postfix's own users is Postfix's to judge.
                ("unix-user", "anybody@home.example"),
            ]
            for (account, text) in may {
                let address = try address(text)
                #expect(book.mayWrite(account, as: address), "\(text)")
             }
            for text in ["bob@home.example", "sales@second.example"] {
                let address = try address(text)
                #expect(!book.mayWrite("alice@home.example", as: address), "\(text)")
            }
        }
    }

    @Test func whereACopyGoes() async throws {
        try await withBook { book in
            var hints = DeliveryHints()
            (hints.folder, hints.keywords) = ("Junk", ["$Junk"])
            let places = try book.destinations(of: try address("alice+x@home.example"), from: nil)
            #expect(places.map { RecipientRoute.destination($0, hints, nil) } == [.local(LocalDestination(account: "alice@home.example", folder: "Junk", keywords: ["$Junk"]))])
            #expect(try RecipientRoute.generated(try address("x@away.example"), book).map(\.destination) == [.remote])
            // A bounce to nobody here would come back: somebody shall read it.
            #expect(try RecipientRoute.generated(try address("nobody@home.example"), book).map(\.destination) == [.local(LocalDestination(account: "alice@home.example"))])
        }
    }
}

/// A folder that is gone when its owner is.
final class TemporaryFolder: Sendable {
    let path: String
    init() throws {
        path = NSTemporaryDirectory() + "postern-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}
