import Foundation

/// Whether systemd starts the server by itself. Blocks.
public struct UnitCheck: Sendable {
    private let unit: String

    public init(unit: String = "postern.service") { self.unit = unit }

    public func run() -> [CheckFinding] {
        func made(_ verdict: CheckFinding.Verdict, _ text: String, _ remedy: String? = nil) -> CheckFinding {
            CheckFinding("systemd", unit, verdict, .minor, text, remedy: remedy, why: "after the next restart of the machine the server would not run")
        }
        guard FileManager.default.fileExists(atPath: "/run/systemd/system") else { return [made(.ok, "systemd does not run here: something else has to start the server")] }
        switch state("is-enabled") {
        case "enabled", "enabled-runtime", "static", "alias": break
        case let other: return [made(.note, "\(unit) is not started at boot: systemctl says \(other.isEmpty ? "nothing" : other)", "systemctl enable --now \(unit)")]
        }
        let running = state("is-active")
        return [running == "failed" ? CheckFinding("systemd", unit, .wrong, .safety, "\(unit) has failed", remedy: "journalctl -u \(unit) -n 50 says why") : made(.ok, "\(unit) is enabled, and \(running)")]
    }

    private func state(_ question: String) -> String {
        let program = ["/usr/bin/systemctl", "/bin/systemctl"].first { FileManager.default.isExecutableFile(atPath: $0) } ?? "/usr/bin/systemctl"
        do { return try TrialProgram.run([program, question, unit], within: .seconds(5)) } catch {
            // It says its word and ends with a status of its own.
            return "\(error)".split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
        }
    }
}
