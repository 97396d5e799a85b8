import ArgumentParser
import Logging
import PosternDaemon

struct ConfigOption: ParsableArguments {
    @Option(name: [.long, .short], help: "The settings file.")
    var config = "/etc/postern/postern.toml"
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the gateway in the foreground.",
        discussion: """
            Stops gracefully on SIGTERM or SIGINT: transactions in flight may finish within shutdown_timeout. SIGHUP reads \
            the settings, rules, keys and certificate again; when something in them is wrong the old ones stay in force.

            Exit status: 0 after a requested stop, 1 when it could not start, 64 for wrong arguments.
            """)

    @OptionGroup var file: ConfigOption

    func run() async throws {
        await Exit.withMessage {
            let settings = try SettingsFile.load(file.config)
            let threshold = LogSetup.bootstrap(level: settings[Known.logLevel].word, format: settings[Known.logFormat].word)
            try await GatewayProcess(configurationFile: file.config, settings: settings, logThreshold: threshold).run()
        }
    }
}
