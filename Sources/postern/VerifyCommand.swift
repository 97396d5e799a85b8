import ArgumentParser
import Diagnostics
import Foundation
import InternetMessage
import Logging
import NetworkAddress
import PosternDaemon

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Run the complete filter chain on a message in a file and show every result.",
        discussion: """
            The chain is that of the settings: rules, signing keys, tags. Nothing is changed by it: no mail is stored, the \
            tag ledger is asked in a copy, no record is written. Foreign milters, if there are any, are asked too. A client in mynetworks counts as our own, as it would \
            when it sent the message.

            Prints the verdict - accept, quarantine, reject, tempfail or discard - as the first word, then each result with \
            the DNS record it rests on, the rules that matched, the changes, and every look-up.

            Exit status: 0 whatever the verdict is, 1 when the chain could not be run, 64 for wrong arguments.
            """)

    @Argument(help: "The message, its lines ending in LF or CRLF; - is standard input.") var file: String
    @Option(help: "The client's address.", transform: {
        guard let address = IPAddress($0) else { throw ValidationError("'\($0)' is not an IP address") }
        return address
    })
    var ip: IPAddress
    @Option(help: "The name the client gave at HELO or EHLO.") var helo: String
    @Option(help: "The MAIL FROM address; '' is the null sender.") var sender: String
    @Option(help: "A recipient. Can be repeated.", transform: {
        guard let address = EmailAddress($0.trimmingCharacters(in: CharacterSet(charactersIn: "<>"))) else {
            throw ValidationError("'\($0)' is not an address such as alice@example.org")
        }
        return address
    })
    var recipient: [EmailAddress]
    @Option(name: [.long, .short], help: "The settings file. Default: /etc/postern/postern.toml if it is there, else defaults without rules.")
    var config: String?
    @OptionGroup var dns: ResolverOptions
    @Flag(help: "Print everything as JSON.") var json = false

    func run() async throws {
        let envelope = VerifyRun.Envelope(client: ip, helo: helo, sender: try senderAddress(), recipients: recipient)
        LogSetup.bootstrap(level: .error)
        await Exit.withMessage {
            let run = VerifyRun(try settings(), forwarder: dns.resolver?.forwarder, logger: Logger(label: "verify"))
            let outcome = try await run.run(file: file, envelope)
            let report = VerificationReport(
                outcome.transaction,
                stages: outcome.stages.map { .init(stage: $0.stage, answer: $0.answer, filter: $0.filter) },
                lookups: outcome.lookups.map { ($0.question, $0.response) })
            print(json ? try ReportJSON.text(report) : report.text)
        }
    }

    func validate() throws {
        guard !recipient.isEmpty else { throw ValidationError("at least one --recipient is needed") }
        _ = try senderAddress()
    }

    private func senderAddress() throws -> EmailAddress? {
        let bare = sender.hasPrefix("<") && sender.hasSuffix(">") ? String(sender.dropFirst().dropLast()) : sender
        guard !bare.isEmpty else { return nil }
        guard let address = EmailAddress(bare) else { throw ValidationError("'\(sender)' is not an address such as alice@example.org") }
        return address
    }

    private func settings() throws -> Settings {
        let standard = "/etc/postern/postern.toml"
        if let config { return try SettingsFile.load(config) }
        if FileManager.default.fileExists(atPath: standard) { return try SettingsFile.load(standard) }
        var defaults = Settings()
        defaults[Known.policyDirectory] = FilePath("")
        return defaults
    }
}
