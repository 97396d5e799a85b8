import ArgumentParser
import Foundation
import NetworkAddress
import PostfixDoctor
import PosternDaemon

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look at this server, or at how a Postfix is wired to us, and say what to mend.",
        subcommands: [MachineCommand.self, PostfixCommand.self], defaultSubcommand: MachineCommand.self)

    struct PostfixCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "postfix",
            abstract: "Read a Postfix's settings and say what to change, line by line.",
            discussion: """
                Changes nothing. Asks postconf, and tries whether somebody answers where Postfix connects to.

                Exit status: 0 nothing to fix, 1 something to fix, 2 the settings could not be read.
                """)

        @OptionGroup var file: ConfigOption
        @Option(help: "Postfix's configuration folder.") var configDir: String?
        @Flag(help: "Print JSON: a list of findings.") var json = false

        func run() async throws {
            let findings: [Finding]
            do {
                let postfix = try Postconf(folder: configDir).settings()
                let own = OwnWiring(try SettingsFile.load(file.config), file: file.config)
                let answers = Dictionary(uniqueKeysWithValues: PostfixDoctor.endpoints(postfix).map { ($0, EndpointProbe.answers($0)) })
                findings = PostfixDoctor(postfix, own: own, answers: answers).findings()
            } catch {
                FileHandle.standardError.write(Data("postern: \(error)\n".utf8))
                throw ExitCode(2)
            }
            print(json ? try Self.encoded(findings) : Self.text(findings))
            if findings.contains(where: { $0.weight == .fix }) { throw ExitCode(1) }
        }

        private static func encoded(_ findings: [Finding]) throws -> String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(findings), as: UTF8.self)
        }

        private static func text(_ findings: [Finding]) -> String {
            let fixes = findings.count { $0.weight == .fix }
            let parts = findings.map { finding in
                let place = finding.file.map { "\n    \(finding.weight == .fix ? "in" : "to change it, in") \($0):" } ?? ""
                return "\(finding.weight.rawValue): \(finding.text)" + (finding.lines.isEmpty ? "" : place + finding.lines.map { "\n        \($0)" }.joined())
            }
            return (parts + [fixes == 0 ? "Nothing to fix." : "\(fixes) to fix."]).joined(separator: "\n\n")
        }
    }
}

extension OwnWiring {
    init(_ settings: Settings, file: String) {
        let hostname = settings[Known.myhostname].text, authserv = settings[Known.authservID]
        self.init(milter: Self.postfixSyntax(settings[Known.listenMilter]), authservID: authserv.isEmpty ? hostname : authserv,
                  recipientDelimiter: settings[Known.recipientDelimiter], lmtp: settings[Known.listenLMTP].map { Endpoint($0) },
                  logIn: settings[Known.listenDovecotAuth].map { Endpoint($0) }, file: file)
    }

    /// libmilter's `inet:PORT@HOST` as Postfix writes it.
    private static func postfixSyntax(_ socket: String) -> String? {
        guard !socket.isEmpty else { return nil }
        guard let at = socket.firstIndex(of: "@"), let colon = socket.firstIndex(of: ":"), colon < at else {
            return socket.hasPrefix("local:") ? "unix:" + socket.dropFirst(6) : socket
        }
        let host = socket[socket.index(after: at)...]
        return "inet:\(host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : String(host)):\(socket[socket.index(after: colon)..<at])"
    }
}

extension Endpoint {
    init(_ socket: SocketSetting) {
        switch socket {
        case .unix(let path): self = .unix(path)
        case .inet(let address): self = .inet(host: address.host?.description ?? "localhost", port: address.port)
        }
    }
}
