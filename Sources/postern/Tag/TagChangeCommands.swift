import ArgumentParser
import Diagnostics
import Foundation
import NetworkAddress
import PosternDaemon
import Tags

extension TagCommand {
    struct Mint: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a tagged address for a domain, which nobody else can own and nobody can guess.",
            discussion: "The end of the tag is a check over address and label: a wrong one is refused as a guess, without asking the ledger.")
        @OptionGroup var options: TagOptions
        @Argument(help: "To whom the address is given: shop.example", transform: DomainArgument.parse) var domain: DomainName
        @Option(name: .customLong("for"), help: "Whose address. Default: the only account's.") var base: String?
        @Option(help: "What stands in the tag. Default: the domain's first label.") var label: String?

        func run() async throws {
            await options.work { desk in
                let tag = try desk.ledger.mint(for: domain, base: try desk.base(base), label: label, at: Date())
                try options.show(tag, desk, done: desk.address(of: tag))
            }
        }
    }

    struct Allow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a domain use a tag: beforehand, or a shop's mailing service later. Makes the tag when there is none.")
        @OptionGroup var options: TagOptions
        @Argument(help: "alice+shop@example.org") var tag: String
        @Argument(help: "shop.example", transform: DomainArgument.parse) var domain: DomainName

        func run() async throws {
            await options.work { desk in
                let tag = try desk.tag(tag)
                try desk.ledger.allow(tag, domain, at: Date())
                try options.show(tag, desk, done: "\(domain) may use \(desk.address(of: tag))")
            }
        }
    }

    struct Disallow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take an owner away. Without any owner left, the next authenticated sender becomes one: see refuse.")
        @OptionGroup var options: TagOptions
        @Argument(help: "alice+shop@example.org") var tag: String
        @Argument(help: "shop.example", transform: DomainArgument.parse) var domain: DomainName

        func run() async throws {
            await options.work { desk in
                let tag = try desk.tag(tag)
                do { try desk.ledger.disallow(tag, domain) } catch TagLedgerError.notAnOwner {
                    let owners = try desk.ledger.show(tag)?.owners.map(\.domain.text).joined(separator: ", ") ?? ""
                    throw CommandFailure("\(domain) is not an owner of \(desk.address(of: tag)); \(owners.isEmpty ? "nobody is" : "its owners: \(owners)")")
                }
                try options.show(tag, desk, done: "\(domain) may no longer use \(desk.address(of: tag))")
            }
        }
    }

    struct Refuse: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A domain shall never own a tag: its mail is a leak, what it wrote before included.")
        @OptionGroup var options: TagOptions
        @Argument(help: "alice+shop@example.org") var tag: String
        @Argument(help: "spam.example", transform: DomainArgument.parse) var domain: DomainName

        func run() async throws {
            await options.work { desk in
                let tag = try desk.tag(tag)
                try desk.ledger.refuse(tag, domain, at: Date())
                try options.show(tag, desk, done: "\(domain) will never own \(desk.address(of: tag))")
            }
        }
    }

    struct Confirm: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that learned owners are the right ones; or, with a domain, that it alone is: other learned ones are then leaks.")
        @OptionGroup var options: TagOptions
        @Argument(help: "alice+shop@example.org") var tag: String
        @Argument(help: "The right owner. Default: those that were learned.", transform: DomainArgument.parse) var domain: DomainName?

        func run() async throws {
            await options.work { desk in
                let tag = try desk.tag(tag)
                try desk.ledger.confirm(tag, domain, at: Date())
                let owners = try desk.ledger.show(tag)?.owners.map(\.domain.text) ?? []
                guard !owners.isEmpty else { throw CommandFailure("\(desk.address(of: tag)) has no owner to confirm; say which: postern tag confirm TAG DOMAIN") }
                try options.show(tag, desk, done: "\(desk.address(of: tag)) belongs to \(owners.joined(separator: " and "))")
            }
        }
    }

    struct Block: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "No more mail to a tag, from anyone: the shipped rules refuse it like an unknown address.")
        @OptionGroup var options: TagOptions
        @Argument(help: "alice+shop@example.org") var tag: String

        func run() async throws {
            await options.work { desk in
                let tag = try desk.tag(tag)
                try desk.ledger.block(tag, at: Date())
                try options.show(tag, desk, done: "\(desk.address(of: tag)) is blocked")
            }
        }
    }

    struct Unblock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Open a blocked or revoked tag again; its owners are as before.")
        @OptionGroup var options: TagOptions
        @Argument(help: "alice+shop@example.org") var tag: String

        func run() async throws {
            await options.work { desk in
                let tag = try desk.tag(tag)
                try desk.ledger.unblock(tag)
                try options.show(tag, desk, done: "\(desk.address(of: tag)) is open")
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "As block, for good: a minted label is not minted again.")
        @OptionGroup var options: TagOptions
        @Argument(help: "alice+shop@example.org") var tag: String

        func run() async throws {
            await options.work { desk in
                let tag = try desk.tag(tag)
                try desk.ledger.revoke(tag, at: Date())
                try options.show(tag, desk, done: "\(desk.address(of: tag)) is revoked")
            }
        }
    }

    struct Forget: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove everything about a tag; the next authenticated sender owns it. A minted address stays valid.")
        @OptionGroup var options: TagOptions
        @Argument(help: "alice+shop@example.org") var tag: String

        func run() async throws {
            await options.work { desk in
                let tag = try desk.tag(tag), record = try desk.ledger.show(tag)
                try desk.ledger.forget(tag)
                guard options.json, let record else { return print("\(desk.address(of: tag)) is forgotten") }
                print(try ReportJSON.text(TagReport(record, address: desk.address(of: tag), seen: true)))
            }
        }
    }
}
