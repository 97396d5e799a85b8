import ArgumentParser
import Foundation
import PosternDaemon

struct ACMECommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "acme",
        abstract: "Obtain and renew the certificate from an authority (ACME, RFC 8555).",
        discussion: """
            The server does this by itself when acme = true. Its settings: acme_directory, acme_email, acme_domains, \
            acme_challenge. While the server runs it makes the attempt, since it has the ports; else this command binds \
            listen.http or listen.https for the time of the challenge.

            Exit status: 0 when the certificate is there, 1 when it is not, 64 for wrong arguments.
            """,
        subcommands: [Issue.self, Renew.self, Status.self])

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Obtain a certificate now, whether one is due or not.")
        @OptionGroup var file: ConfigOption
        @Flag(help: "Try it at Let's Encrypt's staging authority, whose certificates nobody trusts; nothing is kept.") var staging = false

        func run() async throws {
            await Exit.withMessage {
                let settings = try SettingsFile.load(file.config)
                print(try await ACMEAccess(settings, isTrial: staging).issue { print($0) })
            }
        }
    }

    struct Renew: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Obtain a certificate if there is none or it is due, for cron.")
        @OptionGroup var file: ConfigOption

        func run() async throws {
            await Exit.withMessage {
                let access = ACMEAccess(try SettingsFile.load(file.config))
                guard try access.isDue() else { return print("not due: \(try access.status().next)") }
                print(try await access.issue { print($0) })
            }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the certificate, when it is renewed, and how the last attempt went.")
        @OptionGroup var file: ConfigOption
        @Flag(help: "As JSON.") var json = false

        func run() async throws {
            await Exit.withMessage {
                let status = try ACMEAccess(try SettingsFile.load(file.config)).status()
                if json {
                    let encoder = JSONEncoder()
                    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                    print(String(decoding: try encoder.encode(status), as: UTF8.self))
                } else {
                    print(status.text)
                }
                if status.until == nil { Foundation.exit(1) }
            }
        }
    }
}
