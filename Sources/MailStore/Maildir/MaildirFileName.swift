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
        guard let colon = name.utf8.firstIndex(of: 58) else {
            base = name
            return
        }
        base = String(name[..<colon])
        let info = name.utf8[name.utf8.index(after: colon)...]
        guard info.starts(with: [50, 44]) else { return }
        take(info.dropFirst(2))
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
            if (97...122).contains(letter) { keywords |= 1 << UInt32(letter - 97) } else if let known = MessageFlags.letters.first(where: { $0.letter == letter }) {
                flags.insert(known.flag)
            }
        }
    }

    /// What stands before the info part.
    static func base(of name: String) -> String { name.utf8.firstIndex(of: 58).map { String(name[..<$0]) } ?? name }

    /// `:2,` and the letters in ASCII order, as the format demands.
    var info: String {
        var letters: [UInt8] = [58, 50, 44]
        for (letter, flag) in MessageFlags.letters where flags.contains(flag) { letters.append(letter) }
        for index in 0..<UInt32(26) where keywords & 1 << index != 0 { letters.append(UInt8(97 + index)) }
        return String(decoding: letters, as: UTF8.self)
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

    /// The arrival order that the unique part tells: seconds, then microseconds after `M`, then the count after `Q`.
    var arrival: (Int, Int, Int, String) {
        let dots = base.utf8.split(separator: 46, maxSplits: 2)
        let seconds = dots.first.flatMap { String($0) }.flatMap { Int($0) } ?? Int.max
        guard dots.count > 1 else { return (seconds, 0, 0, base) }
        return (seconds, Self.number(after: 77, in: dots[1]), Self.number(after: 81, in: dots[1]), base)
    }

    private static func number(after letter: UInt8, in part: Substring.UTF8View) -> Int {
        guard let mark = part.firstIndex(of: letter) else { return 0 }
        return String(part[part.index(after: mark)...].prefix { (48...57).contains($0) }).flatMap { Int($0) } ?? 0
    }
}
