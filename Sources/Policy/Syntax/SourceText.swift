/// A rule file's octets, and the way from an offset to a line and column.
struct SourceText: Sendable {
    let file: String
    let bytes: [UInt8]
    private let lineStarts: [Int]

    init(file: String, bytes: [UInt8]) {
        self.file = file
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
