/// Finds a rule's line in its file as it is now.
public struct RuleSource {
    private let read: (String) -> String?

    /// - Parameter read: a file's text; nil when it cannot be read.
    public init(read: @escaping (String) -> String?) { self.read = read }

    /// The rule's text, joined to one line: from its `rule "…"` to where the next thing begins.
    /// - Returns: `default.policy:31: rule "leaked tag" when …`, with a remark where it stands elsewhere now or no more.
    func quote(_ name: String, file: String, line: Int) -> String {
        let place = "\(file):\(line)"
        guard let text = read(file) else { return "\(place): (the file cannot be read now)" }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let begin = "rule \"\(name)\""
        if line >= 1, line <= lines.count, Self.trimmed(lines[line - 1]).hasPrefix(begin) { return "\(place): " + Self.statement(lines[(line - 1)...]) }
        guard let index = lines.firstIndex(where: { Self.trimmed($0).hasPrefix(begin) }) else { return "\(place): (the rule is not there any more)" }
        return "\(place): (now in line \(index + 1), perhaps changed) " + Self.statement(lines[index...])
    }

    private static func statement(_ lines: ArraySlice<Substring>) -> String {
        var out: [String] = []
        for line in lines.prefix(12) {
            let text = trimmed(line)
            let begins = ["rule ", "test ", "stage ", "table ", "#"].contains { text.hasPrefix($0) }
            if text.isEmpty || (begins && !out.isEmpty) { break }
            out.append(text)
        }
        return String(out.joined(separator: " ").prefix(400))
    }

    private static func trimmed(_ line: Substring) -> String {
        String(line.drop { $0 == " " || $0 == "\t" || $0 == "\r" })
    }
}
