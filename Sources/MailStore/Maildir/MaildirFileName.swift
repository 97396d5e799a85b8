/// A Maildir file name: base (unique, never changes) and info (`:2,` flags and keyword letters).
///
/// The base carries Dovecot's and Courier's sizes: `,S=` octets on disk, `,W=` octets with CRLF line ends.
struct MaildirFileName: Hashable, Sendable {
    let base: String
    var flags: MessageFlags = []
    /// Bit n is the keyword letter `a` + n, an index into `dovecot-keywords`.
    var keywords: UInt32 = 0

    init(base: String, flags: MessageFlags = [], keywords: UInt32 = 0) {
        self.base = base
        self.flags = flags
        self.keywords = keywords
    }

    /// Splits a name as it stands in `new` or `cur`. An info part other than `2,` is foreign and read as no flags.
    init(_ name: String) {
        var name = name
        self = name.withUTF8 { MaildirFileName(octets: $0) }
    }

    /// The same of a name's octets: a folder has hundreds of thousands of names.
    init(octets: UnsafeBufferPointer<UInt8>) {
        let colon = octets.firstIndex(of: 58) ?? octets.endIndex
        base = String(decoding: octets[..<colon], as: UTF8.self)
        let info = octets[colon...].dropFirst()
        if info.starts(with: [50, 44]) { take(info.dropFirst(2)) }
    }

    /// Of flag and keyword letters alone.
    init(letters: some Sequence<UInt8>) {
        base = ""
        take(letters)
    }

    private mutating func take(_ letters: some Sequence<UInt8>) {
        for letter in letters {
            // A comma would begin a later extension of the format.
            if letter == 44 { break }
            if (97...122).contains(letter) { keywords |= 1 << UInt32(letter - 97) } else { flags.formUnion(MessageFlags(letter: letter)) }
        }
    }

    /// What stands before the info part.
    static func base(of name: String) -> String { name.utf8.firstIndex(of: 58).map { String(name[..<$0]) } ?? name }

    /// Whether the name whose octets these are, and of which this was read, is spelt as this program spells it: `base` in `new`, `base:2,letters` with
    /// the letters in order in `cur`.
    func isSpelling(_ octets: UnsafeBufferPointer<UInt8>, isNew: Bool) -> Bool {
        let length = base.utf8.count
        guard !isNew else { return octets.count == length }
        guard octets.count >= length + 3, octets[length] == 58, octets[length + 1] == 50, octets[length + 2] == 44 else { return false }
        var rest = octets[(length + 3)...]
        for (letter, flag) in MessageFlags.letters where flags.contains(flag) { guard rest.popFirst() == letter else { return false } }
        for index in 0..<UInt32(26) where keywords & 1 << index != 0 { guard rest.popFirst() == UInt8(97 + index) else { return false } }
        return rest.isEmpty
    }

    /// `:2,` and the letters in ASCII order, as the format demands.
    var info: String { String(decoding: infoOctets, as: UTF8.self) }

    private var infoOctets: [UInt8] {
        var letters: [UInt8] = [58, 50, 44]
        letters.reserveCapacity(16)
        appendLetters(to: &letters)
        return letters
    }

    /// The letters alone, in ASCII order.
    func appendLetters(to out: inout [UInt8]) {
        for (letter, flag) in MessageFlags.letters where flags.contains(flag) { out.append(letter) }
        guard keywords != 0 else { return }
        for index in 0..<UInt32(26) where keywords & 1 << index != 0 { out.append(UInt8(97 + index)) }
    }

    /// The base without the sizes.
    var uniquePart: String { String(base.prefix { $0 != "," }) }
    var nameInCur: String { base + info }

    /// `W=`: the size that IMAP reports; nil when another program wrote the file without it.
    var virtualSize: Int? { Self.size(in: base, key: 87) }
    var physicalSize: Int? { Self.size(in: base, key: 83) }

    private static func size(in base: String, key: UInt8) -> Int? {
        for part in base.utf8.split(separator: 44).dropFirst() where part.first == key && part.dropFirst().first == 61 {
            return String(part.dropFirst(2)).flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
        }
        return nil
    }

}

extension MaildirFileName {
    /// The arrival order that the unique part tells: seconds, then microseconds after `M`, then the count after `Q`. Numbers
    /// alone, so that many are sorted without a look at their names; where they do not decide, the names do.
    struct Arrival: Comparable {
        private let seconds: Int
        private let microseconds: Int
        private let count: Int

        init(base: String) {
            var octets = base
            (seconds, microseconds, count) = octets.withUTF8 { octets in
                let dot = octets.firstIndex(of: 46) ?? octets.endIndex
                let seconds = MaildirFileName.decimal(octets[..<dot]) ?? .max
                guard dot < octets.endIndex else { return (seconds, 0, 0) }
                let part = octets[(dot + 1)...].prefix { $0 != 46 }
                return (seconds, Self.number(after: 77, in: part), Self.number(after: 81, in: part))
            }
        }

        static func < (a: Arrival, b: Arrival) -> Bool {
            if a.seconds != b.seconds { return a.seconds < b.seconds }
            return a.microseconds != b.microseconds ? a.microseconds < b.microseconds : a.count < b.count
        }

        /// The names in the order in which they arrived.
        static func sort(_ bases: [String]) -> [String] {
            var order = bases.indices.map { (arrival: Arrival(base: bases[$0]), place: $0) }
            order.sort { $0.arrival < $1.arrival || ($0.arrival == $1.arrival && bases[$0.place] < bases[$1.place]) }
            return order.map { bases[$0.place] }
        }

        private static func number(after letter: UInt8, in part: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
            guard let mark = part.firstIndex(of: letter) else { return 0 }
            return MaildirFileName.decimal(part[(mark + 1)...].prefix { (48...57).contains($0) }) ?? 0
        }
    }

    /// - Returns: nil for anything but digits, and for more than 18 of them.
    private static func decimal(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
        guard (1...18).contains(digits.count) else { return nil }
        var value = 0
        for digit in digits {
            guard (48...57).contains(digit) else { return nil }
            value = value * 10 + Int(digit - 48)
        }
        return value
    }
}
