import Aliases
import DKIM
import Foundation
import Policy

/// One thing that `postern check` has to say: where, how grave, what, and what to do.
public struct CheckRemark: Sendable, Hashable, Encodable {
    public enum Severity: String, Sendable, Hashable, Encodable {
        /// The server would not start, or not reload, with it.
        case error
        /// Probably not meant so.
        case warning
        case note
    }
    public let file: String
    /// From 1; nil when the file as a whole is meant.
    public let line: Int?
    /// From 1, in characters.
    public let column: Int?
    public let severity: Severity
    public let message: String
    /// What to do, where that is known.
    public let fix: String?

    /// `file:line:column: error: message`, and the fix below it.
    public var text: String {
        let place = file + (line.map { ":\($0)" + (column.map { ":\($0)" } ?? "") } ?? "")
        return "\(place): \(severity.rawValue): \(message)" + (fix.map { "\n    fix: \($0)" } ?? "")
    }
}

/// Reads everything a settings file points at and gathers all that is wrong, so that it can be mended at once.
public struct InstallationCheck: Sendable {
    public let remarks: [CheckRemark]
    public var isWell: Bool { !remarks.contains { $0.severity == .error } }

    /// Blocks.
    public init(file: String) {
        var found = Findings(file: file)
        do {
            var settings = try SettingsFile.load(file)
            found.checkRules(&settings)
            found.checkTables(&settings)
            found.checkKeys(&settings)
            found.checkRest(settings)
        } catch let error as SettingsError {
            for fault in error.faults { found.add(fault, in: error.file) }
        } catch { found.add(.error, "\(error)") }
        remarks = found.remarks
    }
}

private struct Findings {
    let file: String
    /// The settings file's.
    private let source: [Substring]
    private let lines: KeyLines
    private(set) var remarks: [CheckRemark] = []

    init(file: String) {
        self.file = file
        let text = FileManager.default.contents(atPath: file).flatMap { String(data: $0, encoding: .utf8) } ?? ""
        source = text.split(separator: "\n", omittingEmptySubsequences: false)
        lines = KeyLines(text)
    }

    /// Something about a setting: its line is found by its key, the first that the message names.
    mutating func add(_ severity: CheckRemark.Severity, _ message: String, key: String? = nil, place: String = "", fix: String? = nil) {
        let words = message.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }.map(String.init)
        let named = key ?? words.first { Settings.declared[$0] != nil }
        let line = named.flatMap { lines.line(of: $0, place: place) }
        remarks.append(CheckRemark(file: file, line: line, column: line.map { column(of: $0, isValue: true) }, severity: severity, message: message, fix: fix))
    }

    mutating func add(_ fault: SettingsError.Fault, in file: String) {
        let isUnknown = fault.text.hasPrefix("unknown key")
        let column = fault.column ?? (file == self.file ? fault.line.map { self.column(of: $0, isValue: !isUnknown) } : nil)
        var message = fault.text, fix: String?
        if let cut = message.range(of: "; ") {
            fix = String(message[cut.upperBound...])
            message = String(message[..<cut.lowerBound])
        } else if let cut = message.range(of: " must be ") {
            fix = "write \(message[cut.upperBound...])"
        }
        remarks.append(CheckRemark(file: file, line: fault.line, column: column, severity: .error, message: message, fix: fix))
    }

    /// Where a line's value begins, or its key.
    private func column(of line: Int, isValue: Bool) -> Int {
        guard source.indices.contains(line - 1) else { return 1 }
        let text = source[line - 1], indent = text.prefix { $0 == " " || $0 == "\t" }.count + 1
        guard isValue, let equals = text.firstIndex(of: "=") else { return indent }
        let after = text[text.index(after: equals)...]
        return text.distance(from: text.startIndex, to: equals) + 2 + after.prefix { $0 == " " || $0 == "\t" }.count
    }

    /// What is broken is taken out of the settings, so that the rest can be looked at.
    mutating func checkRules(_ settings: inout Settings) {
        let folder = settings[Known.policyDirectory].path
        guard !folder.isEmpty else { return }
        do throws(PolicyErrors) {
            for warning in try RuleSet.load(folder: folder).warnings { add(warning) }
        } catch {
            for diagnostic in error.diagnostics { add(diagnostic) }
            settings[Known.policyDirectory] = FilePath("")
        }
    }

    private mutating func add(_ diagnostic: PolicyDiagnostic) {
        remarks.append(CheckRemark(file: diagnostic.file, line: diagnostic.line > 0 ? diagnostic.line : nil, column: diagnostic.line > 0 ? diagnostic.column : nil,
                                   severity: diagnostic.severity == .error ? .error : .warning, message: diagnostic.message, fix: diagnostic.fix))
    }

    mutating func checkTables(_ settings: inout Settings) {
        do throws(TableError) { _ = try AddressTables(settings, srsSecrets: []) } catch {
            for fault in error.faults {
                remarks.append(CheckRemark(file: fault.file.isEmpty ? file : fault.file, line: fault.line, column: nil, severity: .error, message: fault.text, fix: nil))
            }
            (settings[Known.aliasMaps], settings[Known.virtualAliasMaps]) = ([], [])
        }
    }

    mutating func checkKeys(_ settings: inout Settings) {
        settings[Known.dkimKeys] = settings[Known.dkimKeys].enumerated().filter { index, key in
            do {
                _ = try SigningKey(pemFile: key.keyFile.path, domain: key.domain, selector: key.selector)
                return true
            } catch {
                add(.error, "\(error)", key: "dkim", place: "[\(index + 1)].key_file", fix: "let key_file name a PEM private key that our user can read")
                return false
            }
        }.map(\.element)
    }

    /// Users, resolver, relays, certificates, accounts.
    mutating func checkRest(_ settings: Settings) {
        do {
            for note in try LiveParts.check(settings) { addNote(note) }
        } catch let error as SettingsError {
            for fault in error.faults { add(fault, in: error.file) }
        } catch { for line in "\(error)".split(separator: "\n") { add(.error, String(line)) } }
    }

    /// `note: text. What to do`.
    private mutating func addNote(_ note: String) {
        let text = note.hasPrefix("note: ") ? String(note.dropFirst(6)) : note
        // What this check took out by itself is no news.
        if text.hasPrefix("no DKIM key signs"), remarks.contains(where: { $0.severity == .error && $0.fix?.contains("key_file") == true }) { return }
        guard let cut = text.range(of: ". ") ?? text.range(of: "; "), !text[cut.upperBound...].isEmpty else { return add(.note, text) }
        add(.note, String(text[..<cut.lowerBound]), fix: String(text[cut.upperBound...]))
    }
}
