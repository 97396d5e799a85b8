import Accounts
import ArgumentParser
import Foundation
import PosternDaemon

struct AccountLimitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit", abstract: "Show or set how much an account may send.",
        discussion: """
            Beyond its limit an account's mail is taken and held in the queue, and the postmaster told once a day. Without an \
            option the limit and what was sent are shown. A running server goes by the new limit at once.
            """)

    @OptionGroup var file: ConfigOption
    @Argument(help: "The log-in name.") var name: String
    @Option(help: "Messages; 0 for no limit.") var messages: Int?
    @Option(help: "Recipients of all messages together; 0 for no limit.") var recipients: Int?
    @Option(help: "The time they are counted in, as 1h or 1d.") var per: String?
    @Flag(help: "Go by the settings again.") var reset = false

    func validate() throws {
        guard (messages ?? 0) >= 0, (recipients ?? 0) >= 0 else { throw ValidationError("a limit is 0 or more") }
        guard !reset || (messages == nil && recipients == nil && per == nil) else { throw ValidationError("--reset stands alone") }
    }

    func run() async throws {
        await Exit.withMessage {
            let settings = try SettingsFile.load(file.config)
            let window = try per.map { try AccountLimits.window($0) }
            let limits = try AccountLimits(settings)
            if reset { try limits.reset(name) } else if messages != nil || recipients != nil || window != nil {
                try limits.set(name, messages: messages, recipients: recipients, window: window)
            }
            print(try limits.description(of: name))
        }
    }
}
