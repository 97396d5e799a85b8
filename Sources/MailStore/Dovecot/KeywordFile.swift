/// `dovecot-keywords`: which keyword each letter `a` to `z` in a file name means. Lines are `<index> <name>`.
struct KeywordFile: Sendable, Equatable {
    /// By index; an empty name is a gap.
    private(set) var names: [String] = []

    init(parsing bytes: [UInt8] = []) {
        for line in bytes.split(separator: 10) {
            let words = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 1)
            guard words.count == 2, let index = Int(words[0]), (0..<26).contains(index) else { continue }
            while names.count <= index { names.append("") }
            names[index] = String(words[1])
        }
    }

    /// Names a letter that had no name.
    mutating func name(_ index: Int, _ keyword: String) {
        while names.count <= index { names.append("") }
        if names[index].isEmpty { names[index] = keyword }
    }

    var isFull: Bool { names.count == 26 && !names.contains("") }

    func serialised() -> [UInt8] {
        Array(names.enumerated().filter { !$0.element.isEmpty }.map { "\($0.offset) \($0.element)\n" }.joined().utf8)
    }

    /// The names of the letters in the mask; letters without a name are unknown and left out.
    func keywords(in mask: UInt32) -> [String] {
        guard mask != 0 else { return [] }
        return names.indices.filter { mask & 1 << UInt32($0) != 0 && !names[$0].isEmpty }.map { names[$0] }
    }

    /// The letter's bit; keywords are compared without regard to ASCII case (RFC 3501 §9 flag-keyword is an atom).
    func bit(of keyword: String) -> UInt32? {
        let folded = keyword.lowercased()
        return names.firstIndex { $0.lowercased() == folded }.map { 1 << UInt32($0) }
    }

    /// Adds a keyword in the first free place.
    /// - Throws: ``StoreError/tooManyKeywords``, ``StoreError/invalidKeyword(_:)``.
    mutating func add(_ keyword: String) throws(StoreError) -> UInt32 {
        if let bit = bit(of: keyword) { return bit }
        guard !keyword.isEmpty, keyword.utf8.count <= 255,
            keyword.utf8.allSatisfy({ $0 > 32 && $0 < 127 && !"(){%*\"\\]".utf8.contains($0) }) else { throw .invalidKeyword(keyword) }
        if let gap = names.firstIndex(of: "") {
            names[gap] = keyword
            return 1 << UInt32(gap)
        }
        guard names.count < 26 else { throw .tooManyKeywords }
        names.append(keyword)
        return 1 << UInt32(names.count - 1)
    }
}
