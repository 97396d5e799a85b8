/// The text of `dovecot-uidlist`: which UID each file has. Version 3 is read and written, version 1 is read.
///
/// `3 V<uidvalidity> N<next uid> G<mailbox guid>`, then one line per message: `<uid> [<letter><value> …] :<file name>`.
struct UIDList: Sendable {
    struct Entry: Sendable, Hashable {
        let uid: UInt32
        /// The extension fields as they stood, kept for Dovecot: `W2481 Gguid`.
        let extensions: [UInt8]
        /// The unique part of the file name, without flags.
        let name: [UInt8]

        init(uid: UInt32, extensions: String, base: String) {
            self.uid = uid
            self.extensions = Array(extensions.utf8)
            name = Array(base.utf8)
        }

        init(_ line: Line) {
            uid = line.uid
            extensions = Array(line.extensions)
            name = Array(line.base)
        }

        var base: String { String(decoding: name, as: UTF8.self) }
    }

    /// An entry where it stands: for the duration of a call.
    struct Line {
        let uid: UInt32
        let extensions: UnsafeBufferPointer<UInt8>
        let base: UnsafeBufferPointer<UInt8>
    }

    var uidValidity: UInt32
    var nextUID: UInt32
    /// Header fields this program does not interpret, `G…` among them.
    var otherFields: [String]
    /// Empty where the lines were handed on instead.
    var entries: [Entry]

    enum Malformed: Error { case header, order }

    /// - Throws: ``Malformed`` when the UIDs cannot be trusted; the caller then begins a new UIDVALIDITY.
    init(parsing bytes: [UInt8]) throws(Malformed) {
        var entries: [Entry] = []
        entries.reserveCapacity(bytes.count / 40)
        try self.init(parsing: bytes) { entries.append(Entry($0)) }
        self.entries = entries
    }

    /// Hands the lines on, one by one, and keeps none.
    /// - Throws: ``Malformed``; what was handed on by then cannot be trusted either.
    init(parsing bytes: [UInt8], _ take: (Line) -> Void) throws(Malformed) {
        guard let headerEnd = bytes.firstIndex(of: 10) else { throw .header }
        let words = String(decoding: bytes[..<headerEnd], as: UTF8.self).split(separator: " ").map(String.init)
        guard let version = words.first else { throw .header }
        otherFields = []
        switch version {
        case "1":
            guard words.count == 3, let validity = UInt32(words[1]), let next = UInt32(words[2]) else { throw .header }
            (uidValidity, nextUID) = (validity, next)
        case "3":
            var validity: UInt32?, next: UInt32?
            for word in words.dropFirst() {
                switch word.first {
                case "V": validity = UInt32(word.dropFirst())
                case "N": next = UInt32(word.dropFirst())
                default: otherFields.append(word)
                }
            }
            guard let validity, let next else { throw .header }
            (uidValidity, nextUID) = (validity, next)
        default: throw .header
        }
        guard uidValidity > 0, nextUID > 0 else { throw .header }
        entries = []
        var last: UInt32 = 0
        guard Self.forEachLine(of: bytes[(headerEnd + 1)...], after: &last, isThird: version == "3", take) else { throw .order }
        notice(last)
    }

    init(uidValidity: UInt32, guid: String) {
        self.uidValidity = uidValidity
        nextUID = 1
        otherFields = ["G" + guid]
        entries = []
    }

    /// Appending writers leave the header's N behind.
    private mutating func notice(_ last: UInt32) {
        if last >= nextUID { nextUID = last == .max ? .max : last + 1 }
    }

    /// Hands on the lines that were appended to a list whose own are not kept.
    /// - Returns: false, with nothing handed on, when they do not go on from there.
    mutating func parseAppended(_ bytes: ArraySlice<UInt8>, _ take: (Line) -> Void) -> Bool {
        var last = nextUID - 1
        guard Self.forEachLine(of: bytes, after: &last, isThird: true, { _ in }) else { return false }
        last = nextUID - 1
        _ = Self.forEachLine(of: bytes, after: &last, isThird: true, take)
        notice(last)
        return true
    }

    /// Adds lines to a whole list.
    /// - Returns: false, with nothing added, when they do not go on from there.
    mutating func takeAppended(_ lines: [UInt8]) -> Bool {
        var added: [Entry] = []
        guard parseAppended(lines[...], { added.append(Entry($0)) }) else { return false }
        entries += added
        return true
    }

    /// What follows the last LF is empty, or the torn end of an append that a crash cut short.
    /// - Parameter last: the highest UID so far.
    /// - Returns: false at the first line that is none, or whose UID is not higher than those before.
    private static func forEachLine(of bytes: ArraySlice<UInt8>, after last: inout UInt32, isThird: Bool, _ take: (Line) -> Void) -> Bool {
        bytes.withUnsafeBufferPointer { all in
            var rest = all
            while true {
                let end = rest.firstPlace(of: 10)
                guard end < rest.count else { return true }
                guard let line = Line(UnsafeBufferPointer(rebasing: rest[..<end]), isThird: isThird), line.uid > last else { return false }
                last = line.uid
                take(line)
                rest = UnsafeBufferPointer(rebasing: rest[(end + 1)...])
            }
        }
    }

    /// Whether a line can say the name. A file whose name none can has no UID and is not shown.
    static func canHold(_ base: UnsafeBufferPointer<UInt8>) -> Bool { !base.isEmpty && base.firstPlace(of: 10) == base.count }

    static func append(uid: UInt32, _ base: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
        out.append(decimal: UInt64(uid))
        out.append(32)
        out.append(58)
        out.append(contentsOf: base)
        out.append(10)
    }

    private static func append(_ entry: Entry, to out: inout [UInt8]) {
        out.append(decimal: UInt64(entry.uid))
        out.append(32)
        if !entry.extensions.isEmpty {
            out += entry.extensions
            out.append(32)
        }
        out.append(58)
        out += entry.name
        out.append(10)
    }

    func serialised() -> [UInt8] {
        var out = Array("3 V\(uidValidity) N\(nextUID)\(otherFields.map { " " + $0 }.joined())\n".utf8)
        out.reserveCapacity(out.count + entries.count * 80)
        for entry in entries { Self.append(entry, to: &out) }
        return out
    }
}

extension UIDList.Line {
    /// - Parameter line: without its end.
    fileprivate init?(_ line: UnsafeBufferPointer<UInt8>, isThird: Bool) {
        let space = line.firstPlace(of: 32)
        guard space < line.count, let uid = UInt64(decimal: line[..<space], limit: 10).flatMap({ UInt32(exactly: $0) }), uid > 0 else { return nil }
        var rest = line[(space + 1)...]
        var extensions = rest[..<rest.startIndex]
        if isThird {
            // Extension values hold no blank; the file name begins at the first colon after a blank.
            guard let mark = rest.first == 58 ? rest.startIndex : rest.indices.first(where: { rest[$0] == 58 && rest[$0 - 1] == 32 }) else { return nil }
            if mark > rest.startIndex { extensions = rest[..<(mark - 1)] }
            rest = rest[(mark + 1)...]
        }
        let name = UnsafeBufferPointer(rebasing: rest)
        // Flags without a name would be written as an entry that the next reader refuses.
        guard !name.isEmpty, name[0] != 58 else { return nil }
        self.uid = uid
        self.extensions = UnsafeBufferPointer(rebasing: extensions)
        base = UnsafeBufferPointer(rebasing: name[..<name.firstPlace(of: 58)])
    }
}

extension UIDList {
    /// What the list's first line says. Blocks.
    /// - Returns: nil for no list, or one that cannot be trusted.
    static func header(of path: String) throws(StoreError) -> UIDList? {
        guard let bytes = try Files.contents(path, limit: 4096), let end = bytes.firstIndex(of: 10) else { return nil }
        return try? UIDList(parsing: Array(bytes[...end]))
    }
}
