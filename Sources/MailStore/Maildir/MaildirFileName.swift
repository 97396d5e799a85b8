/// A Maildir file name: base (unique, never changes) and info (`:2,` flags and keyword letters).
///
/// The base carries Dovecot's and Courier's sizes: `,S=` octets on disk, `,W=` octets with CRLF line ends.
struct MaildirFileName: Hashable, Sendable {
    let base: String
    private var parsed: MaildirInfo

    var flags: MessageFlags { parsed.flags }
    /// Bit n is the keyword letter `a` + n, an index into `dovecot-keywords`.
    var keywords: UInt32 { parsed.keywords }

    init(base: String, flags: MessageFlags = [], keywords: UInt32 = 0) {
        self.base = base
        parsed = MaildirInfo(flags: flags, keywords: keywords)
    }

    /// Splits a name as it stands in `new` or `cur`. An info part other than `2,` is foreign and read as no flags.
    init(_ name: String) {
        var name = name
        self = name.withUTF8 { octets in
            let count = octets.firstPlace(of: 58)
            return MaildirFileName(base: String(decoding: octets[..<count], as: UTF8.self), MaildirInfo(of: octets, base: count))
        }
    }

    private init(base: String, _ parsed: MaildirInfo) {
        self.base = base
        self.parsed = parsed
    }

    /// `:2,` and the letters in ASCII order, as the format demands.
    var info: String { parsed.text }

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
