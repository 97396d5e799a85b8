/// Reads the files that `table "…"` names: one entry a line, blank lines and `#` comments skipped. What an entry may
/// be follows from what the table is compared with.
struct TableLoader {
    static let sizeLimit = 64 << 20

    private let reader: any PolicyFileReader
    private var loaded: [Key: MemberSet] = [:]
    private struct Key: Hashable { let path: String, type: PolicyType }

    init(reader: any PolicyFileReader) { self.reader = reader }

    /// The table, and its files' mistakes (at most a few of them; a table with mistakes is never used).
    /// - Throws: ``PolicyFileProblem`` or what the reader throws.
    mutating func table(_ path: String, as type: PolicyType) throws -> (MemberSet, [PolicyDiagnostic]) {
        let key = Key(path: path, type: type)
        if let known = loaded[key] { return (known, []) }
        let source = SourceText(file: path, bytes: try reader.read(path, limit: Self.sizeLimit))
        var bag = DiagnosticBag(), set = MemberSet()
        var start = 0
        while start < source.bytes.count, !bag.isFull {
            let end = source.bytes[start...].firstIndex(of: 10) ?? source.bytes.count
            insert(Self.entry(in: start..<end, of: source.bytes), of: source, as: type, into: &set, &bag)
            start = end + 1
        }
        loaded[key] = set
        return (set, bag.all)
    }

    private func insert(_ range: Range<Int>, of source: SourceText, as type: PolicyType, into set: inout MemberSet, _ bag: inout DiagnosticBag) {
        guard !range.isEmpty else { return }
        do { try set.insert(source.text(range), as: type) } catch let mistake as MemberSet.Mistake {
            bag.add(source.diagnostic(range, mistake.message, fix: mistake.fix))
        } catch {}
    }

    /// The line without its comment and the blanks at its ends.
    private static func entry(in line: Range<Int>, of bytes: [UInt8]) -> Range<Int> {
        let isBlank: (UInt8) -> Bool = { $0 == 32 || $0 == 9 || $0 == 13 }
        var end = line.upperBound, start = line.lowerBound
        // A comment begins the line or follows a blank: `#` may stand in a local part.
        for index in line where bytes[index] == 35 && (index == line.lowerBound || isBlank(bytes[index - 1])) { end = index; break }
        while start < end, isBlank(bytes[start]) { start += 1 }
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        return start..<end
    }
}
