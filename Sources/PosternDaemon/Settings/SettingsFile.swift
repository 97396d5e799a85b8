import Policy
import Foundation
import TOMLKit

/// What is wrong with a settings file: each fault with its line, so that all can be mended at once.
public struct SettingsError: Error, CustomStringConvertible {
    public struct Fault: Sendable, Equatable {
        /// From 1; nil when the file as a whole is meant.
        public let line: Int?
        public let text: String
        /// From 1, where it is known better than by the line.
        public var column: Int?
    }
    public let file: String
    public let faults: [Fault]

    public var description: String {
        faults.map { fault in file + (fault.line.map { ":\($0)" } ?? "") + ": " + fault.text }.joined(separator: "\n")
    }
}

/// Reads `postern.toml`: TOMLKit parses, the declared settings decide what may stand in it.
public enum SettingsFile {
    static let sizeLimit = 1 << 20

    /// - Throws: ``SettingsError`` with every fault found.
    public static func load(_ path: String) throws -> Settings {
        guard let data = FileManager.default.contents(atPath: path) else {
            let exists = FileManager.default.fileExists(atPath: path)
            throw SettingsError(file: path, faults: [.init(line: nil, text: exists
                ? "cannot be read: check its owner and mode"
                : "there is no such file; name the settings file with --config FILE")])
        }
        guard data.count <= sizeLimit, let text = String(data: data, encoding: .utf8) else {
            throw SettingsError(file: path, faults: [.init(line: nil, text: "is not a settings file: it must be UTF-8 text of at most 1 MiB")])
        }
        let folder = (URL(fileURLWithPath: path).standardizedFileURL.deletingLastPathComponent().path)
        return try parse(text, file: path, baseFolder: folder)
    }

    /// - Throws: ``SettingsError`` with every fault found.
    public static func parse(_ text: String, file: String, baseFolder: String) throws -> Settings {
        let table: TOMLTable
        do { table = try TOMLTable(string: text) } catch let error as TOMLParseError {
            throw SettingsError(file: file, faults: [.init(line: error.source.begin.line, text: "not TOML: " + error.description, column: error.source.begin.column)])
        }
        var walk = Walk(lines: KeyLines(text), baseFolder: baseFolder)
        walk.visit(Self.items(of: table), prefix: "")
        guard walk.faults.isEmpty else {
            throw SettingsError(file: file, faults: walk.faults.sorted { ($0.line ?? 0, $0.text) < ($1.line ?? 0, $1.text) })
        }
        return Settings(values: walk.values, baseFolder: baseFolder, lines: walk.values.keys.reduce(into: [:]) { $0[$1] = walk.lines.line(of: $1) })
    }

    private struct Walk {
        let lines: KeyLines
        let baseFolder: String
        var values: [String: any Sendable] = [:]
        var faults: [SettingsError.Fault] = []

        mutating func visit(_ table: [String: TOMLItem], prefix: String) {
            for (name, item) in table {
                let key = prefix + name
                if let setting = Settings.declared[key] {
                    read(item, as: setting)
                } else if case .table(let inner) = item, Settings.tables.contains(key) {
                    visit(inner, prefix: key + ".")
                } else {
                    faults.append(.init(line: lines.line(of: key), text: unknown(key)))
                }
            }
        }

        private mutating func read(_ item: TOMLItem, as setting: any AnySetting) {
            do { values[setting.key] = try setting.read(item, baseFolder: baseFolder) } catch {
                let mismatch = error as? SettingMismatch
                let text = "\(setting.key)\(mismatch?.place ?? "") must be \(mismatch?.wanted ?? setting.typeName)"
                faults.append(.init(line: lines.line(of: setting.key, place: mismatch?.place ?? ""), text: text))
            }
        }

        private func unknown(_ key: String) -> String {
            let near = Spelling.nearest(to: key, among: Array(Settings.declared.keys) + Settings.tables)
            let elsewhere = Settings.declared.keys.sorted().first { $0.hasSuffix("." + key) || $0 == key.split(separator: ".").last.map(String.init) }
            return "unknown key \(key)" + ((near ?? elsewhere).map { "; did you mean \($0)?" } ?? "; see the settings reference: postern config reference")
        }
    }

    private static func items(of table: TOMLTable) -> [String: TOMLItem] {
        var out: [String: TOMLItem] = [:]
        for key in table.keys { if let value = table[key] { out[key] = item(value) } }
        return out
    }

    private static func item(_ value: any TOMLValueConvertible) -> TOMLItem {
        if let table = value.table { return .table(items(of: table)) }
        if let array = value.array { return .array(array.map { item($0) }) }
        switch value.type {
        case .string: return .string(value.string ?? "")
        case .int: return .integer(value.int ?? 0)
        case .bool: return .boolean(value.bool ?? false)
        default: return .other(value.debugDescription)
        }
    }
}

/// Where each key stands in the source text: TOMLKit does not say.
struct KeyLines {
    private var lines: [String: [Int]] = [:]

    init(_ text: String) {
        var table = ""
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let trimmed = line.trimmingCharacters(in: .whitespaces)
            if trimmed.hasPrefix("[") {
                let name = trimmed.drop { $0 == "[" }.prefix { $0 != "]" }.trimmingCharacters(in: .whitespaces)
                guard !name.contains("\"") && !name.contains(",") else { continue }
                table = name
                lines[name, default: []].append(index + 1)
            } else if let equals = trimmed.firstIndex(of: "="), !trimmed.hasPrefix("#") {
                let key = trimmed[..<equals].trimmingCharacters(in: CharacterSet(charactersIn: " \t\"'"))
                lines[table.isEmpty ? key : table + "." + key, default: []].append(index + 1)
            }
        }
    }

    /// - Parameter place: below the key, for the n-th of repeated tables: `[2].selector`.
    func line(of key: String, place: String = "") -> Int? {
        let number = place.hasPrefix("[") ? Int(place.dropFirst().prefix { $0 != "]" }) : nil
        if let number, let header = lines[key], header.indices.contains(number - 1) {
            let start = header[number - 1], end = header.indices.contains(number) ? header[number] : Int.max
            let inner = place.drop { $0 != "." }
            return lines[key + inner]?.first { $0 > start && $0 < end } ?? start
        }
        if !place.isEmpty, let inner = lines[key + place]?.first { return inner }
        if let own = lines[key]?.first ?? key.split(separator: ".").first.flatMap({ lines[String($0)]?.first }) { return own }
        // A table that is named only together with those below it: [nonsense.deeply]
        return lines.filter { $0.key.hasPrefix(key + ".") }.compactMap(\.value.first).min()
    }
}
