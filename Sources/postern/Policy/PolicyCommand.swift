import ArgumentParser

struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Check, test and replay rules before they decide about mail.",
        subcommands: [PolicyTestCommand.self, PolicyCheckCommand.self, PolicyReplayCommand.self])
}
