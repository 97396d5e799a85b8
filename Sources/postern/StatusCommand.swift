import ArgumentParser
import Foundation
import PosternDaemon

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Ask the running server how it is: listeners, queue, certificates, last warnings and errors.",
        discussion: "Exit status: 0 when it takes mail, 1 when it runs and cannot take mail or cannot be asked, 3 when no server runs, 64 for wrong arguments.")

    @OptionGroup var file: ConfigOption
    @Flag(help: "As JSON.") var json = false
    @Option(help: "Warnings and errors to show.") var problems = 10

    func run() async throws {
        await Exit.withMessage {
            guard let report = try await StatusAccess.ask(try SettingsFile.load(file.config)) else {
                FileHandle.standardError.write(Data("postern: no server runs with \(file.config)\n".utf8))
                Foundation.exit(3)
            }
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                print(String(decoding: try encoder.encode(report), as: UTF8.self))
            } else {
                print(text(report))
            }
            if report.notReady != nil { Foundation.exit(1) }
        }
    }

    private func text(_ report: StatusReport) -> String {
        var rows = [
            ("postern", "\(report.version), process \(report.pid), up \(duration(report.uptime)) since \(report.started)"),
            ("settings", "\(report.settingsFile), read \(report.settingsLoaded)"),
            ("takes mail", report.notReady.map { "no: \($0)" } ?? "yes"),
            ("queue", "\(report.queueMessages) messages, \(report.queueHeld) held" + (report.queueMessages > 0 ? ", the oldest for \(duration(report.queueOldest))" : "")),
        ]
        rows += report.listeners.map { ("listens", $0) }
        rows += report.certificates.map { ("certificate", "\($0.names.joined(separator: ", ")) until \($0.until), by \($0.issuer)" + ($0.servedFor.map { ", for \($0)" } ?? "")) }
        if let acme = report.acme {
            rows.append(("acme", "next attempt \(acme.next)" + (acme.failures > 0 ? ", \(acme.failures) failures: \(acme.lastError ?? "")" : "")))
        }
        rows += report.problems.suffix(max(problems, 0)).map { ($0.level, [$0.time, $0.event, $0.fields].filter { !$0.isEmpty }.joined(separator: " ")) }
        return rows.map { $0.0.padding(toLength: 13, withPad: " ", startingAt: 0) + $0.1 }.joined(separator: "\n")
    }

    private func duration(_ seconds: Int) -> String {
        seconds >= 86_400 ? "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h" : seconds >= 3600 ? "\(seconds / 3600) h \(seconds % 3600 / 60) min" : "\(seconds / 60) min \(seconds % 60) s"
    }
}
