/// The text of `dovecot-uidlist`: which UID each file has. Version 3 is read and written, version 1 is read.
///
/// `3 V<uidvalidity> N<next uid> G<mailbox guid>`, then one line per message: `<uid> [<letter><value> …] :<file name>`.
struct UIDList: Sendable {
    struct Entry: Sendable, Hashable {
        let uid: UInt32
        /// The extension fields as they stood, kept for Dovecot: `W2481 Gguid`.
        let extensions: String
        /// The unique part of the file name, without flags.
        let base: String
    }

    var uidValidity: UInt32
    var nextUID: UInt32
    /// Header fields this program does not interpret, `G…` among them.
    var otherFields: [String]
    var entries: [Entry]

    enum Malformed: Error { case header, order }

    /// - Throws: ``Malformed`` when the UIDs cannot be trusted; the caller then begins a new UIDVALIDITY.
    init(parsing bytes: [UInt8]) throws(Malformed) {
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
        entries.reserveCapacity(bytes.count / 40)
        try take(lines: bytes[(headerEnd + 1)...], version: version)
    }

    /// What follows the last LF is empty, or the torn end of an append that a crash cut short.
    private mutating func take(lines: ArraySlice<UInt8>, version: String) throws(Malformed) {
        let isThird = version == "3"
        var rest = lines
        while let end = rest.firstIndex(of: 10) {
            try take(rest[..<end], isThird: isThird)
            rest = rest[(end + 1)...]
        }
    }

    init(uidValidity: UInt32, guid: String) {
        self.uidValidity = uidValidity
        nextUID = 1
        otherFields = ["G" + guid]
        entries = []
    }

    /// Takes the lines that were appended to a list whose own are not kept.
    /// - Returns: nil when they do not go on from there.
    mutating func parseAppended(_ bytes: ArraySlice<UInt8>) -> [Entry]? {
        var grown = self
        grown.entries = []
        let least = nextUID
        do throws(Malformed) { try grown.take(lines: bytes, version: "3") } catch { return nil }
        guard grown.entries.first.map({ $0.uid >= least }) ?? true else { return nil }
        nextUID = grown.nextUID
        return grown.entries
    }

    private mutating func take(_ line: ArraySlice<UInt8>, isThird: Bool) throws(Malformed) {
        guard let space = line.firstIndex(of: 32), let uid = Self.number(line[..<space]), uid > 0 else { throw .order }
        var rest = line[(space + 1)...]
        var extensions = ""
        if isThird {
            // Extension values hold no blank; the file name begins at the first colon after a blank.
            guard let mark = rest.first == 58 ? rest.startIndex : rest.indices.first(where: { rest[$0] == 58 && rest[$0 - 1] == 32 })
            else { throw .order }
            if mark > rest.startIndex { extensions = String(decoding: rest[..<(mark - 1)], as: UTF8.self) }
            rest = rest[(mark + 1)...]
        }
        // Flags without a name would be written as an entry that the next reader refuses.
        let base = rest.prefix { $0 != 58 }
        guard uid > entries.last?.uid ?? 0, !base.isEmpty else { throw .order }
        entries.append(Entry(uid: uid, extensions: extensions, base: String(decoding: base, as: UTF8.self)))
        // Appending writers leave the header's N behind.
        if uid >= nextUID { nextUID = uid == .max ? .max : uid + 1 }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt32? {
        guard (1...10).contains(digits.count) else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard (48...57).contains(digit) else { return nil }
            value = value * 10 + UInt64(digit - 48)
        }
        return UInt32(exactly: value)
    }

    static func append(_ entry: Entry, to out: inout [UInt8]) {
        out.append(decimal: UInt64(entry.uid))
        out.append(32)
        if !entry.extensions.isEmpty {
            out += entry.extensions.utf8
            out.append(32)
        }
        out.append(58)
        out += entry.base.utf8
        out.append(10)
    }

    func serialised() -> [UInt8] {
        var out = Array("3 V\(uidValidity) N\(nextUID)\(otherFields.map { " " + $0 }.joined())\n".utf8)
        out.reserveCapacity(out.count + entries.count * 80)
        for entry in entries { Self.append(entry, to: &out) }
        return out
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
