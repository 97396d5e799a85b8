/// The arrival order that a name's unique part tells: seconds, then microseconds after `M`, then the count after `Q`.
/// Numbers alone, so that many are sorted without a look at their names; where they do not decide, the names do.
struct Arrival: Comparable {
    private let seconds: Int
    private let microseconds: Int
    private let count: Int

    init(base: String) {
        var base = base
        self = base.withUTF8 { Arrival($0) }
    }

    init(_ octets: UnsafeBufferPointer<UInt8>) {
        let dot = octets.firstPlace(of: 46)
        seconds = Self.decimal(octets[..<dot]) ?? .max
        guard dot < octets.count else {
            (microseconds, count) = (0, 0)
            return
        }
        let part = octets[(dot + 1)...].prefix { $0 != 46 }
        (microseconds, count) = (Self.number(after: 77, in: part), Self.number(after: 81, in: part))
    }

    static func < (a: Arrival, b: Arrival) -> Bool {
        if a.seconds != b.seconds { return a.seconds < b.seconds }
        return a.microseconds != b.microseconds ? a.microseconds < b.microseconds : a.count < b.count
    }

    /// The places of the names in the order in which they arrived.
    static func order(of names: ContiguousArray<StoredName>) -> [Int] {
        var order = names.indices.map { place in (arrival: names[place].withOctets { Arrival($0) }, place: place) }
        order.sort { a, b in
            guard a.arrival == b.arrival else { return a.arrival < b.arrival }
            return names[a.place].withOctets { first in names[b.place].withOctets { first.precedes($0) } }
        }
        return order.map(\.place)
    }

    private static func number(after letter: UInt8, in part: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        guard let mark = part.firstIndex(of: letter) else { return 0 }
        return decimal(part[(mark + 1)...].prefix { (48...57).contains($0) }) ?? 0
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
