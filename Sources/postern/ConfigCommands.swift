import ArgumentParser
import Foundation
import PosternDaemon

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the settings, rules, keys and certificate without starting anything.",
        discussion: """
            Tells everything that is wrong at once, each with file, line and column, and what to do. Notes are about settings that \
            are allowed and may not be meant.

            Exit status: 0 well, 1 the server would not start or reload.
            """)

    @OptionGroup var file: ConfigOption
    @Flag(help: "Print JSON, for editors: a list of file, line, column, severity, message and fix.") var json = false

    func run() async throws {
        let check = InstallationCheck(file: file.config)
        if json {
            print(try OutputJSON.text(check.remarks))
        } else {
            for remark in check.remarks { print(remark.text) }
            if check.isWell { print("\(file.config): settings, rules, keys and certificate are well") }
        }
        if !check.isWell { throw ExitCode(1) }
    }
}

struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the settings.", subcommands: [Show.self, Reference.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the settings and where each comes from.",
            discussion: "Without --effective those that the file sets. With it every setting with the value in force: from a line of the file, the default, or derived from others.")
        @OptionGroup var file: ConfigOption
        @Flag(help: "Also what the file does not say.") var effective = false
        @Flag(help: "Print JSON: a list of key, value, source, line and from.") var json = false

        func run() async throws {
            await Exit.withMessage {
                let shown = ShownSettings(try SettingsFile.load(file.config), file: file.config, isWhole: effective)
                print(json ? try OutputJSON.text(shown.rows) : shown.text)
            }
        }
    }

    struct Reference: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the settings reference, in Markdown.")
        func run() async throws { print(SettingsReference.document(), terminator: "") }
    }
}

/// JSON as every command prints it.
enum OutputJSON {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
