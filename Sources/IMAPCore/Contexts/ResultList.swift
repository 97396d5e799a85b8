/// The result of a searching command as its client keeps it (RFC 5267 §4.3): UIDs in the requested order. What changes it
/// tells what to send, so that a client that follows §4.3.3 and §4.3.4 has the same list.
public struct ResultList: Sendable {
    public private(set) var uids: [UInt32]
    /// false: a SEARCH, in the mailbox's order, whose client needs no positions.
    public let isSorted: Bool

    public init(_ uids: [UInt32], isSorted: Bool) {
        self.uids = uids
        self.isSorted = isSorted
    }

    /// Those of the candidates that are in the list.
    public func members(of candidates: Set<UInt32>) -> Set<UInt32> {
        guard !candidates.isEmpty else { return [] }
        guard isSorted else { return candidates.filter { contains($0) } }
        return Set(uids.lazy.filter(candidates.contains))
    }

    /// - Returns: what to send in REMOVEFROM; empty for nothing.
    public mutating func remove(_ gone: Set<UInt32>) -> [ResultRun] {
        let doomed = members(of: gone)
        guard !doomed.isEmpty else { return [] }
        let places = uids.enumerated().filter { doomed.contains($0.element) }.map { (index: $0.offset, uid: $0.element) }
        let runs = isSorted ? Self.runs(places) : [ResultRun(position: 0, numbers: places.map(\.uid))]
        uids.removeAll(where: doomed.contains)
        // §4.3.4: pairs are processed as they stand. From the end, each position still is what it was.
        return runs.reversed()
    }

    /// For a SEARCH.
    /// - Parameter new: ascending, none of them in the list.
    /// - Returns: what to send in ADDTO; empty for nothing.
    public mutating func insert(_ new: [UInt32]) -> [ResultRun] { insert(new.map { ($0, position(of: $0)) }) }

    /// - Parameter new: in the requested order, with the index in the present list that each goes before; none is in the list.
    public mutating func insert(_ new: [(uid: UInt32, index: Int)]) -> [ResultRun] {
        guard !new.isEmpty else { return [] }
        var merged: [UInt32] = [], places: [(Int, UInt32)] = [], taken = 0
        merged.reserveCapacity(uids.count + new.count)
        for (uid, index) in new {
            merged += uids[taken..<index]
            taken = index
            places.append((merged.count, uid))
            merged.append(uid)
        }
        uids = merged + uids[taken...]
        // §4.3.3: a SEARCH's position may be zero: then the client puts each where it belongs.
        return isSorted ? Self.runs(places) : [ResultRun(position: 0, numbers: new.map(\.uid))]
    }

    private func contains(_ uid: UInt32) -> Bool {
        let at = position(of: uid)
        return at < uids.count && uids[at] == uid
    }

    /// In an ascending list, where the UID is or would be.
    private func position(of uid: UInt32) -> Int {
        var low = 0, high = uids.count
        while low < high {
            let middle = (low + high) / 2
            if uids[middle] < uid { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Neighbours together: a set in one pair, whose first takes the position and the others those behind it.
    private static func runs(_ places: [(index: Int, uid: UInt32)]) -> [ResultRun] {
        var runs: [ResultRun] = []
        for (index, uid) in places {
            if let last = runs.last, Int(last.position) - 1 + last.numbers.count == index {
                runs[runs.count - 1].numbers.append(uid)
            } else {
                runs.append(ResultRun(position: UInt32(index + 1), numbers: [uid]))
            }
        }
        return runs
    }
}

/// `context-position SP sequence-set` (RFC 5267 §5).
public struct ResultRun: Sendable, Hashable {
    /// From 1; 0 in the result of a SEARCH: wherever it belongs.
    public let position: UInt32
    /// In the requested order.
    public var numbers: [UInt32]

    public init(position: UInt32, numbers: [UInt32]) {
        self.position = position
        self.numbers = numbers
    }
}

/// One ADDTO or REMOVEFROM (RFC 5267 §4.3.3, §4.3.4).
public struct ResultUpdate: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable { case addTo = "ADDTO", removeFrom = "REMOVEFROM" }

    public let kind: Kind
    public let runs: [ResultRun]

    public init(_ kind: Kind, _ runs: [ResultRun]) {
        self.kind = kind
        self.runs = runs
    }

    func encode(into writer: inout ResponseWriter) {
        let pairs = runs.compactMap { run in SequenceSet.compact(run.numbers).map { "\(run.position) \($0)" } }
        writer.raw(" \(kind.rawValue) (" + pairs.joined(separator: " ") + ")")
    }
}
