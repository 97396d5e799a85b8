/// A logical line of Postfix's table files (postmap(1), aliases(5)): it starts with text in the first column, and lines that
/// start with white space continue it. Empty lines and lines whose first character is `#` are skipped, also between a line
/// and its continuation.
struct LogicalLine: Equatable {
    /// Where it starts, from 1.
    let number: Int
    /// Its parts joined by a blank each.
    var text: String

    /// - Throws: ``TableFault`` for a file that begins with a continuation.
    static func all(in source: String) throws(TableFault) -> [LogicalLine] {
        var out: [LogicalLine] = []
        // By scalars: CRLF is one Character, and a file written elsewhere may have it.
        let lines = source.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, scalars) in lines.enumerated() {
            var line = String(scalars)
            while let last = line.unicodeScalars.last, isBlank(last) { line.unicodeScalars.removeLast() }
            let words = line.unicodeScalars.drop(while: isBlank)
            guard let first = words.first, first != "#" else { continue }
            if words.startIndex == line.unicodeScalars.startIndex {
                out.append(LogicalLine(number: index + 1, text: line))
            } else {
                guard !out.isEmpty else { throw TableFault(line: index + 1, "the file begins with white space, which continues a line above: there is none") }
                out[out.count - 1].text += " " + String(words)
            }
        }
        return out
    }

    static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" || scalar == "\r" }
}
