import Accounts
import ArgumentParser
import Foundation
import InternetMessage
import PosternDaemon

struct AccountAddressCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "address", abstract: "The addresses that an account receives and may send as.",
        discussion: "Whole domains, lists and forwarding are aliases: see virtual_aliases and alias_maps in the settings.",
        subcommands: [Add.self, Remove.self, List.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give an account another address.")
        @OptionGroup var file: ConfigOption
        @Argument(help: "The log-in name.") var name: String
        @Argument(help: "The address.") var address: String
        func run() async throws {
            await Exit.withMessage {
                let address = try AccountCommand.address(address)
                try AccountCommand.store(file).addAddress(address, to: name)
                print("\(name.lowercased()) has \(address.folded)")
                let settings = try SettingsFile.load(file.config)
                guard let domain = address.domainName, !settings[Known.mydestination].contains(domain) else { return }
                print("Mail for \(domain) is taken only once mydestination or a virtual table has it.")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take an address away. Mail for it is refused from now on, unless an alias has it.")
        @OptionGroup var file: ConfigOption
        @Argument(help: "The log-in name.") var name: String
        @Argument(help: "The address.") var address: String
        func run() async throws {
            await Exit.withMessage {
                let address = try AccountCommand.address(address)
                try AccountCommand.store(file).removeAddress(address, from: name)
                print("\(name.lowercased()) no longer has \(address.folded)")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List an account's addresses, one a line.")
        @OptionGroup var file: ConfigOption
        @Argument(help: "The log-in name.") var name: String
        func run() async throws {
            await Exit.withMessage {
                guard let account = try AccountCommand.store(file).account(named: name) else { throw AccountError.noSuchAccount(name) }
                for address in account.addresses { print(address) }
            }
        }
    }
}
