/// A compiled pattern: instructions of a Thompson automaton. Matching takes time proportional to the program's length
/// times the text's, whatever the pattern is, so no rule file can make a message expensive by accident.
struct PatternProgram: Sendable, Hashable {
    enum Instruction: Sendable, Hashable {
        case scalar(UInt32)
        case any
        case set(ScalarSet)
        case split(Int, Int)
        case jump(Int)
        case lineStart, lineEnd, wordBoundary, notWordBoundary
        case match
    }

    /// Instructions a pattern may have, repetitions written out.
    static let sizeLimit = 2_000

    let instructions: [Instruction]
    let ignoreCase: Bool
    /// Whether the whole text must match (a glob) or any part of it (a regular expression).
    let isAnchored: Bool
}

/// Ranges of Unicode scalars.
struct ScalarSet: Sendable, Hashable {
    var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false

    func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } != isNegated }

    static let digits = ScalarSet(ranges: [48...57])
    static let spaces = ScalarSet(ranges: [9...13, 32...32, 0xA0...0xA0])
    static let wordScalars = ScalarSet(ranges: [48...57, 65...90, 95...95, 97...122, 0xAA...0xAA, 0xB5...0xB5, 0xC0...0x1FFF, 0x3040...0xD7FF])

    /// The same set with both cases of every ASCII letter in it.
    var foldingCase: ScalarSet {
        var out = self
        for range in ranges {
            if range.overlaps(65...90) { out.ranges.append((range.clamped(to: 65...90).lowerBound + 32)...(range.clamped(to: 65...90).upperBound + 32)) }
            if range.overlaps(97...122) { out.ranges.append((range.clamped(to: 97...122).lowerBound - 32)...(range.clamped(to: 97...122).upperBound - 32)) }
        }
        return out
    }

    /// The ranges of the complement, to put a negated class into another class.
    var complement: [ClosedRange<UInt32>] {
        var out: [ClosedRange<UInt32>] = [], next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { out.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        out.append(next...0x10FFFF)
        return out
    }
}

/// Lower case of one scalar where that is one scalar too.
func foldedScalar(_ scalar: Unicode.Scalar) -> UInt32 {
    let value = scalar.value
    if value < 0x80 { return (65...90).contains(value) ? value + 32 : value }
    let lower = scalar.properties.lowercaseMapping.unicodeScalars
    return lower.count == 1 ? lower[lower.startIndex].value : value
}
