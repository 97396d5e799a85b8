/// A text of several lines between `"""` and `"""`, as tests give a message or DNS records. The indentation that its
/// lines have in common is taken away; nothing in it is an escape.
struct TextBlock: Sendable, Equatable {
    /// Each line ends in a line feed.
    let text: String
    /// The first line's number in the file.
    let firstLine: Int

    struct Mistake: Error {
        let range: Range<Int>
        let message: String
        let fix: String
    }

    /// Whether a block begins there.
    static func begins(at offset: Int, in source: SourceText) -> Bool { source.bytes[offset...].prefix(3).elementsEqual(mark) }

    /// Reads the block that begins at an offset, up to behind its closing mark.
    /// - Throws: ``Mistake``.
    static func read(from start: Int, in source: SourceText) throws(Mistake) -> (block: TextBlock, end: Int) {
        let bytes = source.bytes
        guard let first = lineEnd(start + 3, bytes), bytes[(start + 3)..<first].allSatisfy(isBlank) else {
            throw Mistake(range: start..<(start + 3), message: "a text block begins on the line after its \"\"\"", fix: "put the text on lines of its own, and a closing \"\"\" below them")
        }
        var lines: [ArraySlice<UInt8>] = [], position = first + 1
        while position < bytes.count {
            let end = lineEnd(position, bytes) ?? bytes.count
            let line = bytes[position..<end]
            if let close = line.firstIndex(where: { !isBlank($0) }), bytes[close...].prefix(3).elementsEqual(mark) {
                return (TextBlock(text: try text(of: lines, start..<close), firstLine: source.line(of: start) + 1), close + 3)
            }
            lines.append(line)
            position = end + 1
        }
        throw Mistake(range: start..<(start + 3), message: "the text block does not end", fix: "close it with \"\"\" on a line of its own")
    }

    private static let mark = Array("\"\"\"".utf8)
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }
    private static func lineEnd(_ from: Int, _ bytes: [UInt8]) -> Int? { bytes[from...].firstIndex(of: 10) }

    private static func text(of lines: [ArraySlice<UInt8>], _ range: Range<Int>) throws(Mistake) -> String {
        let indentation = common(lines)
        let octets = lines.flatMap { line in
            (line.allSatisfy(isBlank) ? [] : Array(line.dropFirst(indentation))).filter { $0 != 13 } + [10]
        }
        guard let text = String(validating: octets, as: UTF8.self), !octets.contains(0) else {
            throw Mistake(range: range, message: "the text block is not UTF-8 text", fix: "save the file as UTF-8; a message in another charset goes into a file of its own: message file \"…\"")
        }
        return text
    }

    /// How many blanks every line that is not empty begins with, tab for tab and space for space.
    private static func common(_ lines: [ArraySlice<UInt8>]) -> Int {
        let full = lines.filter { !$0.allSatisfy(isBlank) }
        guard let first = full.first else { return 0 }
        return full.reduce(first.prefix { isBlank($0) }.count) { least, line in
            min(least, zip(line, first).prefix(least).prefix { $0 == $1 && isBlank($0) }.count)
        }
    }
}
