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
        var lines = bytes.split(separator: 10, omittingEmptySubsequences: false)[...]
        // What follows the last LF is empty, or the torn end of an append that a crash cut short.
        lines = lines.dropLast()
        guard let header = lines.popFirst() else { throw .header }
        let words = String(decoding: header, as: UTF8.self).split(separator: " ").map(String.init)
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
        entries.reserveCapacity(lines.count)
        for line in lines { try take(line, version: version) }
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
        for line in bytes.split(separator: 10, omittingEmptySubsequences: false).dropLast() {
            do throws(Malformed) { try grown.take(line, version: "3") } catch { return nil }
        }
        guard grown.entries.first.map({ $0.uid >= least }) ?? true else { return nil }
        nextUID = grown.nextUID
        return grown.entries
    }

    private mutating func take(_ line: ArraySlice<UInt8>, version: String) throws(Malformed) {
        guard let space = line.firstIndex(of: 32), let uid = Self.number(line[..<space]), uid > 0 else { throw .order }
        var rest = line[(space + 1)...]
        var extensions = ""
        if version == "3" {
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

    static func line(_ entry: Entry) -> String {
        "\(entry.uid) \(entry.extensions)\(entry.extensions.isEmpty ? "" : " "):\(entry.base)\n"
    }

    func serialised() -> [UInt8] {
        var out = Array("3 V\(uidValidity) N\(nextUID)\(otherFields.map { " " + $0 }.joined())\n".utf8)
        for entry in entries { out += Self.line(entry).utf8 }
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
