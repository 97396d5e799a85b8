/// Loads the files that `table "…"` names, each once for each type that it is compared with.
struct TableLoader {
    static let sizeLimit = 64 << 20

    let reader: any PolicyFileReader
    private var loaded: [Key: PolicyTable] = [:]
    private struct Key: Hashable { let path: String, type: PolicyType }

    init(reader: any PolicyFileReader) { self.reader = reader }

    var tables: [PolicyTable] { loaded.values.sorted { $0.path < $1.path } }

    /// The table, and its files' mistakes (at most a few of them; a table with mistakes is never used).
    /// - Throws: ``PolicyFileProblem`` or what the reader throws.
    mutating func table(_ path: String, as type: PolicyType) throws -> (PolicyTable, [PolicyDiagnostic]) {
        let key = Key(path: path, type: type)
        if let known = loaded[key] { return (known, []) }
        let stamp = reader.stamp(of: path)
        let (set, mistakes) = try TableText.parse(path, try reader.read(path, limit: Self.sizeLimit), as: type)
        let table = PolicyTable(path: path, type: type, set: set, stamp: stamp)
        loaded[key] = table
        return (table, mistakes)
    }
}

/// A table's text: one entry a line, blank lines and `#` comments skipped. What an entry may be follows from what the
/// table is compared with.
enum TableText {
    static func parse(_ path: String, _ bytes: [UInt8], as type: PolicyType) throws -> (MemberSet, [PolicyDiagnostic]) {
        if let problem = SourceText.problem(bytes) { throw problem }
        let source = SourceText(file: path, bytes: bytes)
        var bag = DiagnosticBag(), set = MemberSet()
        var start = 0
        while start < source.bytes.count, !bag.isFull {
            let end = source.bytes[start...].firstIndex(of: 10) ?? source.bytes.count
            insert(entry(in: start..<end, of: source.bytes), of: source, as: type, into: &set, &bag)
            start = end + 1
        }
        return (set, bag.all)
    }

    private static func insert(_ range: Range<Int>, of source: SourceText, as type: PolicyType, into set: inout MemberSet, _ bag: inout DiagnosticBag) {
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
