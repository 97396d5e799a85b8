import ArgumentParser
import Foundation
import PosternDaemon
import PostfixImport

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take over another mail server's settings.", subcommands: [PostfixCommand.self])

    struct PostfixCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "postfix",
            abstract: "Write a postern.toml that does what a Postfix does, and say of each of its lines what became of it.",
            discussion: """
                Reads main.cf and master.cf (through postconf), the tables they name, OpenDKIM's and OpenDMARC's settings where Postfix \
                asks them as milters, policyd-spf's, and Dovecot's (through doveconf). Changes none of them. Rules that are needed go into \
                policies/postfix.policy beside the file. With --config-dir only those of the other programs that are named are read.

                Exit status: 0 every line is accounted for, 1 some lines are not carried or not understood, 2 nothing was written.
                """)

        @Option(help: "Postfix's configuration folder.") var configDir: String?
        @Option(help: "OpenDKIM's settings.") var opendkimConf: String?
        @Option(help: "OpenDMARC's settings.") var opendmarcConf: String?
        @Option(help: "policyd-spf's settings.") var policydSpfConf: String?
        @Option(help: "Dovecot's settings, for doveconf -c.") var dovecotConf: String?
        @Option(name: [.long, .short], help: "The settings file to write.") var output = "/etc/postern/postern.toml"
        @Flag(help: "Overwrite the settings file and the rules when they are there already.") var replace = false
        @Flag(help: "Write nothing; show what would be written.") var dryRun = false
        @Flag(help: "Print JSON: the settings, the rules, and a list of parameters.") var json = false

        func run() async throws {
            let result: PostfixImport
            var checked: [String] = []
            do {
                let files = ImportFiles(settings: output, replace: replace)
                if !dryRun { try files.checkFree() }
                let reader = ImportReader(configDir: configDir, openDKIM: opendkimConf, openDMARC: opendmarcConf, policydSPF: policydSpfConf, dovecot: dovecotConf)
                result = try PostfixImport(try reader.source(), policyFolder: files.policyFolder, user: ImportFiles.user)
                try files.validate(result)
                if !dryRun { checked = try files.write(result) }
            } catch {
                FileHandle.standardError.write(Data("postern: \(error)\n".utf8))
                throw ExitCode(2)
            }
            print(json ? try ImportReport.json(result) : ImportReport.text(result, file: dryRun ? nil : output, checked: checked))
            if result.parameters.contains(where: { $0.fate == .notCarried || $0.fate == .notUnderstood }) { throw ExitCode(1) }
        }
    }
}
