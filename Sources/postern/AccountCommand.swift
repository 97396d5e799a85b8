import Accounts
import ArgumentParser
import Foundation
import InternetMessage
import PosternDaemon

struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Manage the accounts that can log in and receive mail.",
        subcommands: [Add.self, Remove.self, Passwd.self, List.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an account.",
            discussion: "The password is asked for at a terminal, or is the first line of standard input; never an argument.")
        @OptionGroup var file: ConfigOption
        @Argument(help: "The log-in name, which is also its first address: alice@example.org") var address: String
        @Option(name: .long, help: "Another address it receives and may send as. Can be repeated.") var alias: [String] = []

        func run() async throws {
            await Exit.withMessage {
                let addresses = try ([address] + alias).map { try AccountCommand.address($0) }
                let store = try AccountCommand.store(file)
                let password = try PasswordInput.read(confirm: true)
                try store.add(addresses[0].folded.description, password: password, addresses: addresses)
                print("added \(addresses[0].folded)")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove an account. Its mail stays on disk.")
        @OptionGroup var file: ConfigOption
        @Argument(help: "The log-in name.") var name: String
        func run() async throws {
            await Exit.withMessage {
                try AccountCommand.store(file).remove(name.lowercased())
                print("removed \(name.lowercased())")
            }
        }
    }

    struct Passwd: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Change an account's password.")
        @OptionGroup var file: ConfigOption
        @Argument(help: "The log-in name.") var name: String
        func run() async throws {
            await Exit.withMessage {
                let store = try AccountCommand.store(file)
                try store.setPassword(name.lowercased(), to: try PasswordInput.read(confirm: true))
                print("changed the password of \(name.lowercased())")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the accounts and their addresses.")
        @OptionGroup var file: ConfigOption
        func run() async throws {
            await Exit.withMessage {
                for account in try AccountCommand.store(file).list() {
                    print(account.name + "  " + account.addresses.map(\.description).joined(separator: ", "))
                }
            }
        }
    }

    static func store(_ file: ConfigOption) throws -> AccountStore {
        try LiveParts.openAccounts(try SettingsFile.load(file.config))
    }

    static func address(_ text: String) throws -> EmailAddress {
        guard let address = EmailAddress(text), address.domainName != nil else {
            throw PasswordInput.Failure(description: "\"\(text)\" is not an address such as alice@example.org")
        }
        return address
    }
}
