import Foundation
import Synchronization

/// How a line of the log is written.
public enum LogFormat: String, CaseIterable, Sendable { case logfmt, json }

/// One event as one line: whatever a value holds, it stays in its field and its line.
enum LogLine {
    /// - Parameter fields: sorted by name.
    static func make(_ format: LogFormat, time: String, level: String, label: String, event: String, fields: [(name: String, value: String)]) -> String {
        switch format {
        case .logfmt:
            var out = ""
            out.reserveCapacity(512)
            out += "time=\(time) level=\(level) from=\(label) event=\(LogfmtHandler.value(event))"
            for (name, value) in fields {
                out += " "
                out += name
                out += "="
                out += LogfmtHandler.value(value)
            }
            return out + "\n"
        case .json:
            return "{\"time\":\"\(time)\",\"level\":\"\(level)\",\"from\":\(json(label)),\"event\":\(json(event))"
                + fields.map { ",\(json(name($0.name))):\(json($0.value))" }.joined() + "}\n"
        }
    }

    /// A field must not stand twice in a JSON object (RFC 8259 §4).
    private static func name(_ text: String) -> String { ["time", "level", "from", "event"].contains(text) ? text + "_" : text }

    /// RFC 8259 §7, with everything escaped that a terminal or a line reader might take for more than text. Bounded.
    static func json(_ text: String) -> String { quoted(text) { String($0).utf16.map(escape).joined() } }

    /// In quotes, with quotes, backslashes and line ends escaped as in C. Bounded.
    /// - Parameter escape: writes whatever else is no plain text.
    static func quoted(_ text: String, escape: (Unicode.Scalar) -> String) -> String {
        if text.utf8.count <= 1000, text.utf8.allSatisfy({ $0 >= 32 && $0 < 127 && $0 != 34 && $0 != 92 }) { return "\"" + text + "\"" }
        var out = "\""
        for scalar in text.unicodeScalars.prefix(1000) {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            default: if isPlain(scalar) { out.unicodeScalars.append(scalar) } else { out += escape(scalar) }
            }
        }
        return out + "\""
    }

    private static func escape(_ unit: UInt16) -> String {
        let hex = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
    }

    static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}

/// The last warnings and errors, for `postern status`. Bounded.
public final class RecentProblems: Sendable {
    public struct Problem: Sendable, Codable, Hashable {
        public var time: String
        public var level: String
        public var event: String
        /// `name=value`, as the log has them.
        public var fields: String
    }

    static let limit = 50
    private let state = Mutex<[Problem]>([])

    init() {}

    func note(_ problem: Problem) {
        state.withLock {
            if $0.count >= Self.limit { $0.removeFirst() }
            $0.append(problem)
        }
    }

    /// The newest last.
    public var all: [Problem] { state.withLock { $0 } }
}
