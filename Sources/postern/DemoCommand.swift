import ArgumentParser
import Foundation
import PosternDaemon
import PosternDemo

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run two gateways on loopback, send them mail, and show what became of it.",
        discussion: """
            Needs no root, no network and no settings. Prints a table of what was sent, what was answered and what was \
            found, then serves until interrupted.

            Exit status: 0 when every row is as expected, 1 when not, or when it could not run.
            """)

    @Flag(help: "Print the table and end.") var once = false
    @Option(help: "A new or empty folder to keep everything in. Default: a temporary one, removed at the end.") var data: String?
    @Option(help: "Added to 25, 587, 465, 143 and 993.") var portsBase = 2000
    @Option(help: "The folder of rules.") var policies: String?
    @Option(help: "Write the connection facts into this file, as JSON.") var jsonConnection: String?

    func run() async throws {
        LogSetup.bootstrap(level: .error)
        var good = false
        await Exit.withMessage {
            good = try await DemoRun(once: once, dataFolder: data, portsBase: portsBase, policies: policies, connectionFile: jsonConnection).run()
        }
        if !good { throw ExitCode(1) }
    }
}
