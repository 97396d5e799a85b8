/// A tag=value list (RFC 6376 §3.2), as DKIM-Signature fields and key records are written.
struct TagList: Sendable, Hashable {
    /// Why a list is none. The text stands in results and logs.
    enum Failure: Error, Hashable, CustomStringConvertible {
        case malformed(String)
        case duplicate(String)

        var description: String {
            switch self {
            case .malformed(let what): "malformed tag list: \(what) (RFC 6376 §3.2)"
            case .duplicate(let name): "tag \(name)= occurs twice (RFC 6376 §3.2)"
            }
        }
    }

    /// In order; values without the white space at their ends.
    private(set) var tags: [(name: String, value: String)] = []

    static func == (a: TagList, b: TagList) -> Bool { a.tags.elementsEqual(b.tags) { $0 == $1 } }
    func hash(into hasher: inout Hasher) { for tag in tags { hasher.combine(tag.name); hasher.combine(tag.value) } }

    subscript(_ name: String) -> String? { tags.first { $0.name == name }?.value }

    /// The value with every white space octet removed, for base64 and colon-separated lists, where folding means nothing.
    func compact(_ name: String) -> String? {
        guard var value = self[name] else { return nil }
        return value.withUTF8 { octets in
            String(unsafeUninitializedCapacity: octets.count) { kept in
                var count = 0
                for octet in octets where !Self.isSpace(octet) {
                    kept[count] = octet
                    count += 1
                }
                return count
            }
        }
    }

    /// The value's colon-separated items, blanks removed; nil when there is no such tag.
    func items(_ name: String) -> [String]? {
        compact(name).map { text in
            text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    init(parsing bytes: some Collection<UInt8>) throws(Failure) {
        var seen: Set<String> = []
        let specs = Array(bytes).split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        for (index, spec) in specs.enumerated() {
            let trimmed = Self.trimmed(spec)
            if trimmed.isEmpty {
                // Only the last may be empty: one final semicolon is allowed.
                guard index == specs.count - 1, index > 0 else { throw .malformed("an empty tag") }
                continue
            }
            let tag = try Self.tag(trimmed)
            // Two names that differ in case only are told apart by §3.2 but not by every verifier: nobody needs them.
            guard seen.insert(tag.name.lowercased()).inserted else { throw .duplicate(tag.name) }
            tags.append(tag)
        }
    }

    private static func tag(_ spec: ArraySlice<UInt8>) throws(Failure) -> (name: String, value: String) {
        guard let equals = spec.firstIndex(of: UInt8(ascii: "=")) else { throw .malformed("a tag without =") }
        let name = trimmed(spec[..<equals])
        let value = trimmed(spec[(equals + 1)...])
        guard let first = name.first, isLetter(first), name.allSatisfy({ isLetter($0) || (48...57).contains($0) || $0 == 95 }) else {
            throw .malformed("a bad tag name")
        }
        guard value.allSatisfy({ (0x21...0x7e).contains($0) || isSpace($0) }) else {
            throw .malformed("an octet outside printable US-ASCII")
        }
        return (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let first = bytes.first, isSpace(first) { bytes = bytes.dropFirst() }
        while let last = bytes.last, isSpace(last) { bytes = bytes.dropLast() }
        return bytes
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
    static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 || byte == 10 }
}
