import Checkup
import Diagnostics
import Foundation

/// Findings as a terminal or a program reads them.
enum CheckOutput {
    /// - Parameter closing: what to say when all is well.
    static func text(_ report: CheckReport, closing: String) -> String {
        let rows = report.findings.map { [$0.verdict.rawValue, $0.check, $0.subject, Plain.line($0.text)] }
        var lines = Diagnostics.TextTable(rows).lines
        lines.append("")
        if report.fixes.isEmpty {
            let open = report.findings.count { $0.verdict == .unknown }
            lines.append(open == 0 ? closing : "Nothing is known to be wrong, but \(open) could not be found out.")
        } else {
            lines.append("To mend, most important first:")
            for (number, fix) in report.fixes.enumerated() {
                lines.append("\(number + 1). \(Plain.line(fix.text))")
                for line in fix.remedy?.split(separator: "\n") ?? [] { lines.append("   \(Plain.line(String(line)))") }
                if let why = fix.why { lines.append("   (\(why))") }
            }
        }
        return lines.joined(separator: "\n")
    }
}

/// One line on a terminal's error side, rewritten while checks are waited for.
struct CheckProgressLine: Sendable {
    private let isShown = isatty(2) == 1

    func show(_ progress: CheckRun.Progress) {
        guard isShown else { return }
        let waiting = progress.waiting.first.map { ": waiting for \($0)" } ?? ""
        write("\r\u{1b}[K" + "\(progress.done) of \(progress.all) checks done\(waiting)".prefix(78))
    }

    func clear() { if isShown { write("\r\u{1b}[K") } }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
