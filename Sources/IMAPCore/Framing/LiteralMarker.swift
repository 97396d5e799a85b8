/// `{n}` or `{n+}` at a line's end. Braces occur nowhere else before a line end: atoms exclude `{`, and a quoted
/// string ends with its quote.
struct LiteralMarker: Equatable {
    let size: Int
    let isSynchronising: Bool

    /// - Parameter line: with its line end.
    init?(endOf line: ArraySlice<UInt8>) {
        var rest = line
        if rest.last == 10 { rest = rest.dropLast() }
        if rest.last == 13 { rest = rest.dropLast() }
        guard rest.last == 125 else { return nil }
        rest = rest.dropLast()
        isSynchronising = rest.last != 43
        if rest.last == 43 { rest = rest.dropLast() }
        let digits = rest.suffix(20).reversed().prefix(while: ASCII.isDigit).reversed()
        guard !digits.isEmpty, rest.dropLast(digits.count).last == 123 else { return nil }
        // More than 32 bits is no number of the grammar; such a size exceeds every limit.
        size = UInt32(String(decoding: digits, as: UTF8.self)).map(Int.init) ?? Int(UInt32.max)
    }
}
