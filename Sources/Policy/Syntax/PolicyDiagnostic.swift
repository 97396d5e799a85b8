/// One mistake in a rule or table file: where it is, what is wrong, and what to do about it.
public struct PolicyDiagnostic: Sendable, Hashable, CustomStringConvertible {
    public enum Severity: String, Sendable, Hashable { case error, warning }

    public let file: String
    /// From 1; 0 when the whole file is meant (it cannot be read, it is too large).
    public let line: Int
    /// From 1, in characters.
    public let column: Int
    public let message: String
    /// What to write instead, where that is known.
    public let fix: String?
    public let sourceLine: String
    /// Characters the caret line marks.
    public let width: Int
    /// Rules with an error are not taken; a warning is only told by `postern policy check`.
    public private(set) var severity = Severity.error

    init(file: String, line: Int = 0, column: Int = 0, message: String, fix: String? = nil, sourceLine: String = "", width: Int = 1) {
        self.file = file
        self.line = line
        self.column = column
        self.message = Self.shown(message)
        self.fix = fix
        self.sourceLine = sourceLine
        self.width = width
    }

    var asWarning: PolicyDiagnostic {
        var copy = self
        copy.severity = .warning
        return copy
    }

    /// `file:line:column: error: …`, the source line, the caret line, the fix.
    public var description: String {
        guard line > 0 else { return "\(file): \(severity.rawValue): \(message)" + (fix.map { "\n    fix: \($0)" } ?? "") }
        let (shown, caret) = excerpt
        return "\(file):\(line):\(column): \(severity.rawValue): \(message)\n    \(shown)\n    \(caret)" + (fix.map { "\n    fix: \($0)" } ?? "")
    }

    /// A window of the line around the column, so that a line of a megabyte stays readable, and the carets below it.
    private var excerpt: (String, String) {
        let limit = 120, first = max(0, column - 1 - limit / 2)
        let window = sourceLine.dropFirst(first).prefix(limit)
        let lead = window.prefix(column - 1 - first).map { $0 == "\t" ? "\t" : " " }.joined()
        let carets = String(repeating: "^", count: max(1, min(width, limit - lead.count)))
        return (Self.printable(String(window)), lead + carets)
    }

    /// A file's text in a message is at the most this much of it.
    private static func shown(_ message: String) -> String {
        let limit = 400
        return printable(message.count > limit ? message.prefix(limit) + "…" : message)
    }

    /// What is shown on terminals and in logs has no control characters of the file's.
    private static func printable(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.properties.generalCategory == .control && scalar != "\t"
            out.append(isControl || scalar == "\u{2028}" || scalar == "\u{2029}" ? " " : scalar)
        }
        return String(out)
    }
}

/// Every mistake found while loading; never empty.
public struct PolicyErrors: Error, Sendable, CustomStringConvertible {
    public let diagnostics: [PolicyDiagnostic]
    public var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

/// Collects diagnostics up to a bound.
struct DiagnosticBag {
    static let limit = 50
    private(set) var all: [PolicyDiagnostic] = []
    var isEmpty: Bool { all.isEmpty }
    var isFull: Bool { all.count >= Self.limit }

    mutating func add(_ diagnostic: PolicyDiagnostic) { if !isFull { all.append(diagnostic) } }
}
