import Foundation
import Policy
import PosternDaemon
import PostfixImport

/// The files that an import leaves.
struct ImportFiles {
    let settings: String
    let replace: Bool

    private var folder: String { URL(fileURLWithPath: settings).standardizedFileURL.deletingLastPathComponent().path }
    var policyFolder: String { "policies" }
    private var rules: String { "\(folder)/\(policyFolder)/postfix.policy" }

    /// The account that a package makes; nil where there is none, since a server does not start as a user that is not there.
    static var user: String? { getpwnam("postern") == nil ? nil : "postern" }

    func checkFree() throws {
        guard !replace else { return }
        for path in [settings, rules] where FileManager.default.fileExists(atPath: path) {
            throw ImportFailure("\(path) is there already: name another file with --output, or overwrite it with --replace")
        }
    }

    /// Reads what would be written as the server would.
    /// - Throws: what it would not take.
    func validate(_ result: PostfixImport) throws {
        _ = try SettingsFile.parse(result.settings, file: settings, baseFolder: folder)
        if let text = result.rules { _ = try RuleSet.load(files: [rules], reader: UnwrittenRules(text: text)) }
    }

    /// - Returns: what `postern check` says of it.
    func write(_ result: PostfixImport) throws -> [String] {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(policyFolder)", withIntermediateDirectories: true)
        try put(result.settings, settings)
        if let text = result.rules { try put(text, rules) } else { try? FileManager.default.removeItem(atPath: rules) }
        do { return try LiveParts.check(try SettingsFile.load(settings)) } catch { return "\(error)".split(separator: "\n").map { "to mend: \($0)" } }
    }

    private func put(_ text: String, _ path: String) throws {
        do { try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
            throw ImportFailure("\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}

/// Rules that are not on disk yet.
private struct UnwrittenRules: PolicyFileReader {
    let text: String
    func policyFiles(in folder: String) -> [String] { [] }
    func read(_ path: String, limit: Int) throws -> [UInt8] { Array(text.utf8) }
}
