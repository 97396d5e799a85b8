import CMemory
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Names in the order in which they were added, found by their octets: a table with open addressing. A name is hashed
/// once; its neighbours in the table are told apart by their hashes and not looked at.
struct NameTable: Sendable {
    private var arena = NameArena()
    private(set) var names: ContiguousArray<StoredName> = []
    /// A hash in the upper half, a name's index + 1 in the lower; 0 is free. Never full: see ``reserveCapacity(_:)``.
    private var slots: ContiguousArray<UInt64> = []
    /// Indices of names that were added again later.
    private var outdated: Set<Int> = []

    /// Different names.
    var count: Int { names.count - outdated.count }
    var isEmpty: Bool { names.isEmpty }
    func isOutdated(_ index: Int) -> Bool { !outdated.isEmpty && outdated.contains(index) }

    /// Seeded at random in each process, and hard to foresee: the names come from other people.
    static func hash(of octets: UnsafeBufferPointer<UInt8>) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(octets))
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    /// Where a name was added last.
    func index(of octets: UnsafeBufferPointer<UInt8>) -> Int? { index(of: octets, hash: Self.hash(of: octets)) }

    func index(of octets: UnsafeBufferPointer<UInt8>, hash: UInt32) -> Int? {
        slots.isEmpty ? nil : Self.index(slots[slot(of: octets, hash: hash)])
    }

    func index(of name: StoredName) -> Int? { name.withOctets { index(of: $0) } }
    func index(of octets: [UInt8]) -> Int? { octets.withUnsafeBufferPointer { index(of: $0) } }

    /// Has the memory fetched that will be needed to look up names with these hashes.
    /// - Parameter beside: is told where they seem to be, to fetch what it keeps beside the names.
    func announce(_ hashes: [UInt32], and beside: (Int) -> Void = { _ in }) {
        // What is small is in the caches.
        guard slots.count > 4096 else { return }
        slots.withUnsafeBufferPointer { slots in
            guard let start = slots.baseAddress else { return }
            for hash in hashes { postern_prefetch(start + home(of: hash)) }
        }
        names.withUnsafeBufferPointer { names in
            guard let start = names.baseAddress else { return }
            for hash in hashes {
                guard let index = likelyIndex(hash) else { continue }
                postern_prefetch(start + index)
                beside(index)
            }
            for hash in hashes {
                if let index = likelyIndex(hash) { names[index].announce() }
            }
        }
    }

    /// Adds a name at the end, also one that is there: it is then found at the end.
    mutating func append(_ octets: UnsafeBufferPointer<UInt8>) { append(octets, hash: Self.hash(of: octets)) }

    mutating func append(_ octets: UnsafeBufferPointer<UInt8>, hash: UInt32) { add(arena.keep(octets), at: slotToFill(octets, hash), hash) }

    /// The same without a copy of its octets.
    mutating func append(_ name: StoredName) {
        let hash = name.withOctets { Self.hash(of: $0) }
        add(name, at: name.withOctets { slotToFill($0, hash) }, hash)
    }

    /// - Returns: where the name is, at the end if it was not there.
    mutating func insert(_ octets: UnsafeBufferPointer<UInt8>, hash: UInt32) -> Int {
        let slot = slotToFill(octets, hash)
        if let known = Self.index(slots[slot]) { return known }
        add(arena.keep(octets), at: slot, hash)
        return names.count - 1
    }

    /// The names that are wanted, in the same order. As a rule that is all of them, and costs nothing.
    func filter(_ isWanted: (StoredName) -> Bool) -> NameTable {
        guard !names.allSatisfy(isWanted) else { return self }
        var some = NameTable()
        for name in names where isWanted(name) { some.append(name) }
        return some
    }

    /// Puts the names into another order. None must have been added twice.
    /// - Parameter order: the index of each now, in the order that they are to have.
    mutating func arrange(_ order: [Int]) {
        var places = ContiguousArray<UInt64>(repeating: 0, count: order.count)
        for (place, index) in order.enumerated() { places[index] = UInt64(place) }
        names = ContiguousArray(order.map { names[$0] })
        for slot in slots.indices {
            if let index = Self.index(slots[slot]) { slots[slot] = slots[slot] & ~0xffff_ffff | (places[index] + 1) }
        }
    }

    /// Makes room for so many names in all.
    mutating func reserveCapacity(_ count: Int) {
        names.reserveCapacity(count)
        // At most three quarters are in use, so that a search is short and comes to an end.
        var size = max(slots.count, 8)
        while size / 4 * 3 < count { size *= 2 }
        if size > slots.count { resize(size) }
    }

    private mutating func slotToFill(_ octets: UnsafeBufferPointer<UInt8>, _ hash: UInt32) -> Int {
        if names.count >= slots.count / 4 * 3 { resize(max(slots.count * 2, 8)) }
        return slot(of: octets, hash: hash)
    }

    private mutating func add(_ name: StoredName, at slot: Int, _ hash: UInt32) {
        if let older = Self.index(slots[slot]) { outdated.insert(older) }
        names.append(name)
        slots[slot] = UInt64(hash) << 32 | UInt64(names.count)
    }

    /// The slot that has the name, or the free one where it belongs.
    private func slot(of octets: UnsafeBufferPointer<UInt8>, hash: UInt32) -> Int {
        var slot = home(of: hash)
        while slots[slot] != 0 {
            if UInt32(truncatingIfNeeded: slots[slot] >> 32) == hash, let index = Self.index(slots[slot]), names[index].withOctets({ $0.hasSameOctets(as: octets) }) { return slot }
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private func home(of hash: UInt32) -> Int { Int(hash) & (slots.count - 1) }

    /// Where a name with such a hash is, unless another one is in its place.
    private func likelyIndex(_ hash: UInt32) -> Int? {
        let entry = slots[home(of: hash)]
        return UInt32(truncatingIfNeeded: entry >> 32) == hash ? Self.index(entry) : nil
    }

    /// Moves what is in the table into a larger one; the hashes in it are enough for that.
    private mutating func resize(_ size: Int) {
        let old = slots
        slots = ContiguousArray(repeating: 0, count: size)
        for entry in old where entry != 0 {
            var slot = Int(entry >> 32) & (size - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = entry
        }
    }

    private static func index(_ slot: UInt64) -> Int? {
        let place = slot & 0xffff_ffff
        return place == 0 ? nil : Int(place) - 1
    }
}

extension UnsafeBufferPointer<UInt8> {
    func hasSameOctets(as other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard count == other.count else { return false }
        guard let mine = baseAddress, let theirs = other.baseAddress else { return true }
        return memcmp(mine, theirs, count) == 0
    }

    /// The index of the first such octet, or the end.
    func firstPlace(of octet: UInt8) -> Int {
        guard let baseAddress, count > 0, let hit = memchr(baseAddress, Int32(octet), count) else { return count }
        return UnsafeRawPointer(baseAddress).distance(to: UnsafeRawPointer(hit))
    }

    /// Before which of two the order of their octets puts this one.
    func precedes(_ other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let mine = baseAddress, let theirs = other.baseAddress else { return count < other.count }
        let order = memcmp(mine, theirs, Swift.min(count, other.count))
        return order != 0 ? order < 0 : count < other.count
    }
}
