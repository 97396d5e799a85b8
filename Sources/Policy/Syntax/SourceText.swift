/// A rule file's octets, and the way from an offset to a line and column.
struct SourceText: Sendable {
    let file: String
    let bytes: [UInt8]
    private let lineStarts: [Int]

    init(file: String, bytes: [UInt8]) {
        self.file = file
        // Some editors put a byte order mark first; it says nothing.
        let bytes = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
        self.bytes = bytes
        lineStarts = [0] + bytes.indices.filter { bytes[$0] == 10 }.map { $0 + 1 }
    }

    /// Line from 1, and the octets from the line's start.
    func position(of offset: Int) -> (line: Int, start: Int) {
        var low = 0, high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return (low + 1, lineStarts[low])
    }

    /// A line (from 1) without the blanks before it and its end; where there is no such line, the end of the text.
    func range(ofLine line: Int) -> Range<Int> {
        guard lineStarts.indices.contains(line - 1) else { return bytes.count..<bytes.count }
        let end = bytes[lineStarts[line - 1]...].firstIndex(of: 10) ?? bytes.count
        let start = bytes[lineStarts[line - 1]..<end].firstIndex { $0 != 32 && $0 != 9 } ?? end
        return start..<end
    }

    /// Why octets that were read are no text, UTF-16 among them; nil when they may be.
    static func problem(_ bytes: [UInt8]) -> PolicyFileProblem? {
        bytes.contains(0) ? PolicyFileProblem("it is not text in UTF-8: it has a NUL in it") : nil
    }

    func line(of offset: Int) -> Int { position(of: offset).line }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// The diagnostic that points at a range of the text.
    func diagnostic(_ range: Range<Int>, _ message: String, fix: String?) -> PolicyDiagnostic {
        let offset = min(max(range.lowerBound, 0), bytes.count)
        let (line, start) = position(of: offset)
        let end = bytes[start...].firstIndex(of: 10) ?? bytes.count
        let before = String(decoding: bytes[start..<offset], as: UTF8.self)
        let marked = String(decoding: bytes[offset..<max(offset, min(range.upperBound, end))], as: UTF8.self)
        return PolicyDiagnostic(
            file: file, line: line, column: before.count + 1, message: message, fix: fix,
            sourceLine: String(decoding: bytes[start..<end].filter { $0 != 13 }, as: UTF8.self), width: max(1, marked.count))
    }
}
