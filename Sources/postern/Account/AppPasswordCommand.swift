import Accounts
import ArgumentParser
import Foundation
import PosternDaemon

struct AppPasswordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "app-password", abstract: "Passwords of single devices, which can be taken back one by one.",
        discussion: "One logs in wherever the account's own password does: IMAP, submission, and a Postfix that asks the Dovecot socket.",
        subcommands: [Add.self, List.self, Revoke.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a password for a device and show it, once.",
            discussion: "The password alone goes to standard output, so that a script can take it; the rest goes to standard error.")
        @OptionGroup var file: ConfigOption
        @Argument(help: "The log-in name of the account.") var account: String
        @Option(help: "What to call it, as phone. Default: the password's first group.") var name: String?
        func run() async throws {
            await Exit.withMessage {
                let (password, facts) = try AccountCommand.store(file).addAppPassword(for: account, name: name)
                FileHandle.standardError.write(Data("""
                    app password "\(facts.name)" of \(facts.account), shown this once; the log-in name is \(facts.account):

                    """.utf8))
                print(password)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List an account's app passwords and when each was last used.")
        @OptionGroup var file: ConfigOption
        @Argument(help: "The log-in name of the account.") var account: String
        @Flag(help: "Print JSON: an array.") var json = false
        func run() async throws {
            await Exit.withMessage {
                let devices = try AccountCommand.store(file).appPasswords(of: account)
                if json { return try AccountOutput.json(devices.map(AccountOutput.Device.init)) }
                guard !devices.isEmpty else { return print("\(account.lowercased()) has none; make one with: postern account app-password add \(account) --name phone") }
                AccountOutput.table(devices)
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take an app password back. Log-ins with it fail at once; sessions that run go on until they end.")
        @OptionGroup var file: ConfigOption
        @Argument(help: "The log-in name of the account.") var account: String
        @Option(help: "Its name, or the password's first group.") var name: String
        func run() async throws {
            await Exit.withMessage {
                print("revoked \"\(try AccountCommand.store(file).revokeAppPassword(name, of: account))\" of \(account.lowercased())")
            }
        }
    }
}
