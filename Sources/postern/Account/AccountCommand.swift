import Accounts
import ArgumentParser
import Foundation
import InternetMessage
import PosternDaemon

struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Manage the accounts that can log in and receive mail.",
        discussion: "A running server goes by every change at once.",
        subcommands: [Add.self, Remove.self, Passwd.self, List.self, AccountAddressCommand.self, AccountLimitCommand.self, AppPasswordCommand.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an account.",
            discussion: "The password is asked for at a terminal, or is the first line of standard input or of --password-file; never an argument.")
        @OptionGroup var file: ConfigOption
        @OptionGroup var password: PasswordOptions
        @Argument(help: "The log-in name, which is also its first address: alice@example.org") var address: String
        @Option(name: .long, help: "Another address it receives and may send as. Can be repeated.") var alias: [String] = []

        func run() async throws {
            await Exit.withMessage {
                let addresses = try ([address] + alias).map { try AccountCommand.address($0) }
                let password = try password.read()
                try AccountCommand.store(file).add(addresses[0].folded.description, password: password, addresses: addresses)
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
                try AccountCommand.store(file).remove(name)
                print("removed \(name.lowercased())")
            }
        }
    }

    struct Passwd: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change an account's password.", discussion: "App passwords stay; see: postern account app-password list")
        @OptionGroup var file: ConfigOption
        @OptionGroup var password: PasswordOptions
        @Argument(help: "The log-in name.") var name: String
        func run() async throws {
            await Exit.withMessage {
                // Before the folder's files are opened: the process may not read the file later, when it is no longer root.
                let password = try password.read()
                try AccountCommand.store(file).setPassword(name, to: password)
                print("changed the password of \(name.lowercased())")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the accounts, their addresses, and what they log in with.")
        @OptionGroup var file: ConfigOption
        @Flag(help: "Print JSON: an array of accounts.") var json = false
        func run() async throws {
            await Exit.withMessage {
                let accounts = try AccountCommand.store(file).summaries()
                if json { return try AccountOutput.json(accounts.map(AccountOutput.Row.init)) }
                guard !accounts.isEmpty else { return print("no accounts; make one with: postern account add alice@example.org") }
                AccountOutput.table(accounts)
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
