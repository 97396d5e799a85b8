import ArgumentParser

@main
struct Postern: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern",
        abstract: "A mail gateway: a milter for your Postfix, or the whole mail server.",
        subcommands: [Serve.self, Demo.self, Check.self, Config.self, AccountCommand.self, DKIMCommand.self])
}
