/// A settings file of OpenDKIM or OpenDMARC: `Name value`, `#` comments (opendkim.conf(5), opendmarc.conf(5)).
struct MilterSettingsFile: Sendable {
    struct Line: Sendable, Hashable {
        let name: String
        let value: String
        let number: Int
    }
    let file: String
    /// Of a name that stands twice both programs take the last one.
    let lines: [Line]

    init(_ source: NamedText) {
        file = source.file
        var lines: [Line] = []
        for (index, text) in source.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = trimmed(text.prefix { $0 != "#" })
            let name = content.prefix { !$0.isWhitespace }
            guard !name.isEmpty else { continue }
            lines.removeAll { $0.name.lowercased() == name.lowercased() }
            lines.append(Line(name: String(name), value: trimmed(content.dropFirst(name.count)), number: index + 1))
        }
        self.lines = lines
    }

    func value(_ name: String) -> String? { lines.last { $0.name.lowercased() == name.lowercased() }?.value }

    func flag(_ name: String) -> Bool? {
        switch value(name)?.lowercased() {
        case "yes", "true", "1", "on", "t", "y": true
        case "no", "false", "0", "off", "f", "n": false
        default: nil
        }
    }
}

/// OpenDKIM's data sets: `refile:/etc/opendkim/signing.table`, `file:…`, `csl:a,b`, or the values themselves.
enum DataSet {
    struct Row: Sendable, Hashable {
        let key: String
        let value: String
        let place: String
    }

    /// - Returns: the rows, and whether keys are patterns with `*`.
    static func rows(_ value: String, _ source: ImportSource) throws(ImportFailure) -> (rows: [Row], isPattern: Bool) {
        let table = TableReference(value)
        switch table.type {
        case "file", "refile", "": 
            guard table.type != "" || value.hasPrefix("/") else { return (Words.split(value).map { Row(key: $0, value: "", place: "") }, false) }
            let text: String
            do { text = try source.read(table.name) } catch { throw ImportFailure("\(table.name): \(error)") }
            return (rows(of: text, file: table.name), table.type == "refile")
        case "csl": return (Words.split(table.name).map { Row(key: $0, value: "", place: "") }, false)
        default: throw ImportFailure("\(value): data sets of type \"\(table.type)\" are not read; write what it holds into a file")
        }
    }

    /// A key and a value with white space between, or the key alone. Unlike Postfix's, a line is a line.
    private static func rows(of text: String, file: String) -> [Row] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
            let content = trimmed(line.prefix { $0 != "#" })
            let key = content.prefix { !$0.isWhitespace }
            return key.isEmpty ? nil : Row(key: String(key), value: trimmed(content.dropFirst(key.count)), place: "\(file):\(index + 1)")
        }
    }
}
