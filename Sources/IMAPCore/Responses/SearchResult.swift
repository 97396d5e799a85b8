/// What an ESEARCH reports (RFC 4731 §3.1): only what was asked for; MIN, MAX and ALL are left out when nothing matched.
public struct SearchResult: Sendable, Hashable {
    public let returns: [SearchRequest.Return]
    /// Ascending, or in the order of SORT (RFC 5267 §3).
    public let numbers: [UInt32]
    /// RFC 7162 §3.1.10.
    public let modSequence: UInt64?
    public let isSorted: Bool

    public init(_ numbers: [UInt32], returns: [SearchRequest.Return], modSequence: UInt64? = nil, isSorted: Bool = false) {
        self.modSequence = modSequence
        self.numbers = numbers
        self.returns = returns
        self.isSorted = isSorted
    }

    func encode(_ tag: String, _ numbering: Numbering, into writer: inout ResponseWriter) {
        Self.head(tag, numbering, into: &writer)
        if returns.contains(.min), let first = numbers.first { writer.raw(" MIN \(first)") }
        if returns.contains(.max), let last = numbers.last { writer.raw(" MAX \(last)") }
        if returns.contains(.all), let set = set(of: numbers[...]) { writer.raw(" ALL \(set)") }
        if returns.contains(.count) { writer.raw(" COUNT \(numbers.count)") }
        for case .partial(let range) in returns { writer.raw(" PARTIAL (\(range) \(set(of: range.slice(numbers)) ?? "NIL"))") }
        if let modSequence, !numbers.isEmpty { writer.raw(" MODSEQ \(modSequence)") }
    }

    /// `"ESEARCH" search-correlator [SP "UID"]` (RFC 4466 §2.6.2).
    static func head(_ tag: String, _ numbering: Numbering, into writer: inout ResponseWriter) {
        writer.raw("ESEARCH (TAG ")
        writer.string(Array(tag.utf8))
        writer.raw(numbering == .uid ? ") UID" : ")")
    }

    /// A sorted result keeps its order: only runs that ascend may be joined.
    private func set(of numbers: ArraySlice<UInt32>) -> String? {
        guard isSorted else { return SequenceSet.compact(numbers)?.description }
        var runs: [ClosedRange<UInt32>] = []
        for number in numbers {
            if let last = runs.last, last.upperBound < number, last.upperBound + 1 == number {
                runs[runs.count - 1] = last.lowerBound...number
            } else { runs.append(number...number) }
        }
        return runs.isEmpty ? nil : runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound):\($0.upperBound)" }.joined(separator: ",")
    }

    /// The positions in ``numbers`` that SAVE keeps (RFC 5182 §2.4, RFC 9394 §3.1).
    public static func saved<Item>(_ items: [Item], returns: [SearchRequest.Return]) -> [Item] {
        if returns.contains(.all) || returns.contains(.count) { return items }
        var kept: [Item] = []
        if returns.contains(.min), let first = items.first { kept.append(first) }
        if returns.contains(.max), let last = items.last { kept.append(last) }
        for case .partial(let range) in returns { kept += range.slice(items) }
        return returns.contains(where: \.restricts) ? kept : items
    }
}

extension SearchRequest.Return {
    /// Whether it asks for some of the result. UPDATE and CONTEXT have nothing to do with the others (RFC 5267 §4.1).
    fileprivate var restricts: Bool {
        switch self {
        case .min, .max, .partial: true
        case .all, .count, .save, .context, .update: false
        }
    }
}
