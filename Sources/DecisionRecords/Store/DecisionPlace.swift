/// A record's place in the table: the time at which it was written, in milliseconds, and a number among those of the same one.
enum DecisionPlace {
    private static let bits: Int64 = 20

    /// The first that a record of this time may have.
    static func first(at time: Int) -> Int64 { Int64(clamping: max(time, 0)) << bits }

    static func time(of place: Int64) -> Int { Int(place >> bits) }

    /// The place after another: of its own time, or behind the last when the clock was set back or many come at once.
    static func next(after last: Int64, at time: Int) -> Int64 { max(last + 1, first(at: time)) }
}

/// What a Message-ID is indexed by: a part of the time, and a hash. New ones come close together in the index, wherever
/// their hashes lie, so that its growing part stays in memory.
enum MessageKey {
    /// Milliseconds: a quarter of a day. A look-up tries each part that records are kept of: 120 for 30 days.
    private static let part = 21_600_000
    private static let hashBits: UInt64 = 44
    /// Parts that a look-up tries: about 13 years.
    private static let partLimit = 20_000

    static func make(_ text: String, in time: Int) -> Int64 { key(hash(text), part: time / part) }

    /// The latest first.
    static func all(_ text: String, from first: Int, to last: Int) -> some Sequence<Int64> {
        let hash = hash(text), newest = last / part, oldest = max(first / part, newest - partLimit)
        return (oldest...max(newest, oldest)).reversed().lazy.map { key(hash, part: $0) }
    }

    private static func key(_ hash: UInt64, part: Int) -> Int64 { Int64(part) << Int64(hashBits) | Int64(hash & (1 << hashBits - 1)) }

    /// FNV-1a; the same in every process and for ever, which Swift's own is not.
    private static func hash(_ text: String) -> UInt64 {
        var out: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { out = (out ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return out ^ out >> 44
    }
}
