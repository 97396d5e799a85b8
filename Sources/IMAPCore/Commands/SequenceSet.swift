/// `sequence-set` (RFC 3501 §9): message sequence numbers or UIDs, with `*` for the largest in use.
public struct SequenceSet: Sendable, Hashable, CustomStringConvertible {
    public enum Bound: Sendable, Hashable {
        case number(UInt32)
        /// `*`
        case largest
    }

    /// One number (both bounds equal) or a range; the bounds may stand in either order (`4:2` is `2:4`).
    public struct Element: Sendable, Hashable {
        public let first: Bound
        public let last: Bound

        public init(_ first: Bound, _ last: Bound) {
            self.first = first
            self.last = last
        }
    }

    public let elements: [Element]

    /// `$`: what the last SEARCH saved (RFC 5182); ``elements`` is empty then.
    public let isSaved: Bool

    public init(_ elements: [Element]) {
        self.elements = elements
        isSaved = false
    }

    public init(_ ranges: [ClosedRange<UInt32>]) { self.init(ranges.map { Element(.number($0.lowerBound), .number($0.upperBound)) }) }

    private init(saved: Bool) {
        elements = []
        isSaved = saved
    }

    public static let saved = SequenceSet(saved: true)

    public init(_ range: ClosedRange<UInt32>) { self.init([range]) }

    /// The set in numbers: ascending, disjoint, joined where adjacent.
    ///
    /// - Parameter largest: what `*` means: the number of messages, or the largest UID; 0 when the mailbox is empty
    ///   (then `*` names nothing). Numbers above it stay in: for UIDs they are harmless, for sequence numbers see ``exceeds(_:)``.
    public func ranges(largest: UInt32) -> [ClosedRange<UInt32>] {
        var found: [ClosedRange<UInt32>] = []
        for element in elements {
            guard let a = Self.value(element.first, largest), let b = Self.value(element.last, largest) else { continue }
            found.append(min(a, b)...max(a, b))
        }
        return Self.merged(found)
    }

    /// Whether a sequence number lies beyond the mailbox's end, for which a server answers BAD.
    public func exceeds(_ messageCount: UInt32) -> Bool {
        elements.contains { element in
            [element.first, element.last].contains { bound in
                if case .number(let number) = bound { number > messageCount } else { messageCount == 0 }
            }
        }
    }

    public func contains(_ number: UInt32, largest: UInt32) -> Bool {
        elements.contains { element in
            guard let a = Self.value(element.first, largest), let b = Self.value(element.last, largest) else { return false }
            return number >= min(a, b) && number <= max(a, b)
        }
    }

    public var description: String {
        isSaved ? "$" : elements.map { $0.first == $0.last ? Self.text($0.first) : Self.text($0.first) + ":" + Self.text($0.last) }.joined(separator: ",")
    }

    /// The shortest set of these numbers that keeps their order, for COPYUID and ESEARCH; nil for none. What does not ascend
    /// is joined to no range (RFC 5267 §3.2).
    public static func compact(_ numbers: some Sequence<UInt32>) -> SequenceSet? {
        var ranges: [ClosedRange<UInt32>] = []
        for number in numbers {
            if let last = ranges.last, last.upperBound < .max, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        return ranges.isEmpty ? nil : SequenceSet(ranges)
    }

    /// Parses the whole text; nil unless it is a `sequence-set`.
    public init?(_ text: String) {
        var scanner = Scanner(Array(text.utf8))
        guard let set = try? Self.parse(&scanner), scanner.position == scanner.bytes.count else { return nil }
        self = set
    }

    static func parse(_ scanner: inout Scanner) throws(ScanError) -> SequenceSet {
        if scanner.take(36) { return .saved }
        var elements: [Element] = []
        repeat {
            let first = try bound(&scanner)
            elements.append(Element(first, scanner.take(58) ? try bound(&scanner) : first))
        } while scanner.take(44)
        return SequenceSet(elements)
    }

    private static func bound(_ scanner: inout Scanner) throws(ScanError) -> Bound {
        if scanner.take(42) { return .largest }
        guard let byte = scanner.peek, ASCII.isDigit(byte) else { throw ScanError("expected a sequence set") }
        return .number(try scanner.positiveNumber())
    }

    private static func value(_ bound: Bound, _ largest: UInt32) -> UInt32? {
        switch bound {
        case .number(let number): number
        case .largest: largest == 0 ? nil : largest
        }
    }

    private static func text(_ bound: Bound) -> String {
        if case .number(let number) = bound { String(number) } else { "*" }
    }

    private static func merged(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var out: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = out.last, last.upperBound == .max || range.lowerBound <= last.upperBound + 1 {
                out[out.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                out.append(range)
            }
        }
        return out
    }
}
