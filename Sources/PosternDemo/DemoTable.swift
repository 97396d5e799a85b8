/// One row of the demo's table.
public struct DemoRow: Sendable {
    public let what: String
    public let answer: String
    public let found: String
    /// nil when the row is as expected, else what was expected.
    public let complaint: String?
}

/// Aligned text.
enum DemoTable {
    static func text(_ rows: [DemoRow]) -> String {
        let head = DemoRow(what: "what was sent", answer: "the answer", found: "what was found", complaint: nil)
        let whatWidth = width(rows.map(\.what) + [head.what]), answerWidth = width(rows.map(\.answer) + [head.answer])
        func line(_ number: String, _ row: DemoRow, _ verdict: String) -> String {
            "\(pad(number, 3))\(pad(row.what, whatWidth + 2))\(pad(row.answer, answerWidth + 2))\(row.found)\(verdict)"
        }
        var lines = [line("", head, "")]
        for (index, row) in rows.enumerated() {
            lines.append(line("\(index + 1)", row, ""))
            if let complaint = row.complaint { lines.append("   NOT AS EXPECTED: " + complaint) }
        }
        return lines.map { String($0.reversed().drop { $0 == " " }.reversed()) }.joined(separator: "\n")
    }

    private static func width(_ texts: [String]) -> Int { texts.map(\.count).max() ?? 0 }
    private static func pad(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(width - text.count, 0)) }
}
