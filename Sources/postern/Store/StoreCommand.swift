import ArgumentParser
import Diagnostics
import Foundation
import IMAPServer
import MailStore
import PosternDaemon

struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Check and repair mailboxes; hand them over to Dovecot.",
        discussion: """
            Works beside a running server, under the locks that Dovecot uses as well. Started as root, a command becomes the \
            user of the settings before it touches a file.
            """,
        subcommands: [Check.self, Export.self])

    /// Opens the store of the settings as its owner.
    static func open(_ file: ConfigOption) throws -> MailStore {
        try InstalledStore.open(try SettingsFile.load(file.config))
    }

    /// An account that has no mail is most often one that was mistyped.
    static func known(_ names: [String], in store: MailStore) throws -> [String] {
        let all = try store.accountNames()
        guard !names.isEmpty else { return all }
        return try names.map { name in
            guard all.contains(name.lowercased()) else { throw CommandFailure("there is no mail of an account '\(Plain.line(name))'") }
            return name.lowercased()
        }
    }

    static func printJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}

extension StoreCommand {
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare messages, UID lists, keywords and indexes, and name what is wrong.",
            discussion: """
                Nothing that could be mail is removed. With --repair, what can be repaired is; files in tmp that are older \
                than 36 hours, which a program that ended in the middle left there, go then.

                With --json: a line of JSON for each finding.

                Exit status: 0 nothing is wrong any more (unfinished temporary files do no harm and do not count); 1 the store \
                cannot be read; 3 something is wrong; 64 wrong arguments.
                """)
        @OptionGroup var file: ConfigOption
        @Flag(help: "Repair what can be repaired.") var `repair` = false
        @Flag(help: "Print JSON.") var json = false
        @Argument(help: "Accounts; all if none is named.") var accounts: [String] = []

        func run() async throws {
            var wrong = 0, found = 0
            await Exit.withMessage {
                let store = try StoreCommand.open(file)
                let names = try StoreCommand.known(accounts, in: store)
                for name in names {
                    let findings = try check(name, store)
                    found += findings.count
                    wrong += findings.count { $0.isWrong }
                    try show(findings)
                }
                if !json { print("\(names.count) account\(names.count == 1 ? "" : "s") checked, \(found == 0 ? "nothing found" : "\(found) found, \(wrong) wrong")") }
            }
            if wrong > 0 { throw ExitCode(3) }
        }

        private func check(_ name: String, _ store: MailStore) throws -> [StoreFinding] {
            let progress = CheckProgress(account: name)
            defer { progress.clear() }
            var check = try AccountCheck(account: name, in: store, repairs: `repair`, summarizer: IMAPSummarizer())
            return try check.run { progress.show($0, $1) }
        }

        private func show(_ findings: [StoreFinding]) throws {
            for finding in findings {
                if json { try StoreCommand.printJSON(finding) } else {
                    let place = finding.account + (finding.folder.isEmpty ? "" : " " + finding.folder)
                    let end = switch finding.state {
                    case .repaired: " (repaired)"
                    case .repairable: " (--repair)"
                    case .left: ""
                    }
                    print(Plain.line("\(place): \(finding.text)\(end)"))
                }
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an account's mailboxes ready for Dovecot: UIDs, keywords and subscriptions are in its own files.",
            discussion: """
                The server works on Dovecot's files (dovecot-uidlist, dovecot-keywords, subscriptions), so a Dovecot whose \
                mail_location is maildir:DATA/mail/ACCOUNT/Maildir serves the account as it stands, and clients download \
                nothing again. This command completes them: every message gets its line, those in new/ too. Stop the server \
                first, or what arrives later has none yet, and Dovecot gives it one.

                Exit status: 0 done, 1 could not be done, 64 wrong arguments.
                """)
        @OptionGroup var file: ConfigOption
        @Option(help: ArgumentHelp("Also copy the lists there, without the mail: what a Maildir that was copied earlier lacks.", valueName: "folder")) var to: String?
        @Flag(help: "Print JSON.") var json = false
        @Argument(help: "The account.") var account: String

        func run() async throws {
            await Exit.withMessage {
                let place = to.map { URL(fileURLWithPath: $0).path }
                let store = try StoreCommand.open(file)
                let name = try StoreCommand.known([account], in: store)[0]
                let folders = try DovecotExport.run(name, in: store, to: place)
                guard !json else { return try StoreCommand.printJSON(folders) }
                let rows = folders.map { [Plain.line($0.name), "\($0.messages)", "\($0.uidValidity)", "\($0.uidNext)", $0.keywords.joined(separator: " ")] }
                print(Diagnostics.TextTable([["FOLDER", "MESSAGES", "UIDVALIDITY", "UIDNEXT", "KEYWORDS"]] + rows).lines.joined(separator: "\n"))
                print("mail_location = maildir:\(store.maildirPath(of: name))")
            }
        }
    }
}

/// Which folder is being read, on a terminal.
private final class CheckProgress {
    private let account: String
    private var isShown = false

    init(account: String) { self.account = account }

    func show(_ folder: String, _ done: Int) {
        guard done % 256 == 0, isatty(2) == 1 else { return }
        isShown = true
        FileHandle.standardError.write(Data("\r\u{1B}[K\(Plain.line("\(account) \(folder)")): \(done) messages …".utf8))
    }

    func clear() { if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) } }
}
