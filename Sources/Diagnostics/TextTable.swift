/// Columns aligned by padding, the last one left as it is.
public struct TextTable: Sendable {
    public let rows: [[String]]

    public init(_ rows: [[String]]) { self.rows = rows }

    public var lines: [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.compactMap { column < $0.count ? $0[column].count : nil }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { index, cell in
                index == row.count - 1 ? cell : cell + String(repeating: " ", count: max(widths[index] - cell.count, 0))
            }
            return Plain.trimmed(cells.joined(separator: " "))
        }
    }
}

/// Words of strangers on a terminal.
public enum Plain {
    /// Without control and formatting characters, which could move the cursor or make a second line; bounded.
    public static func line(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(2000).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: "?"
            default: scalar
            }
        }))
    }

    static func trimmed(_ text: String) -> String {
        var text = text
        while text.last == " " { text.removeLast() }
        return text
    }
}
