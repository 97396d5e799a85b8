import CMemory
import Synchronization

/// The octets of a name, in memory that many names share: a folder has hundreds of thousands, and an object for each
/// costs more time and memory than everything else about it.
struct StoredName: Sendable {
    private let chunk: NameChunk
    private let offset: UInt32
    private let length: UInt16

    fileprivate init(_ chunk: NameChunk, _ offset: Int, _ length: Int) {
        self.chunk = chunk
        self.offset = UInt32(offset)
        self.length = UInt16(length)
    }

    /// A name on its own. What no file system has, a name of 64 KiB, is cut off.
    init(_ octets: some Sequence<UInt8>) {
        var arena = NameArena()
        self = Array(octets.prefix(NameArena.longest)).withUnsafeBufferPointer { arena.keep($0) }
    }

    var count: Int { Int(length) }

    /// What invalid UTF-8 becomes names no file.
    var text: String { withOctets { String(decoding: $0, as: UTF8.self) } }

    func withOctets<Value>(_ body: (UnsafeBufferPointer<UInt8>) -> Value) -> Value { chunk.withOctets(Int(offset), Int(length), body) }

    /// Has its octets fetched, which lie in one cache line or two.
    func announce() { chunk.announce(Int(offset), Int(length)) }

    /// Its first octets, in the same memory.
    func prefix(_ length: Int) -> StoredName { StoredName(chunk, Int(offset), min(length, count)) }
}

extension StoredName: Hashable {
    static func == (a: StoredName, b: StoredName) -> Bool {
        if a.chunk === b.chunk, a.offset == b.offset { return a.length == b.length }
        return a.withOctets { octets in b.withOctets { $0.hasSameOctets(as: octets) } }
    }

    func hash(into hasher: inout Hasher) { withOctets { hasher.combine(bytes: UnsafeRawBufferPointer($0)) } }
}

/// Where names are kept. Copies may share the chunk at the end: each name has its own place there.
struct NameArena: Sendable {
    static let longest = Int(UInt16.max)
    private static let largestChunk = 1 << 20

    private var chunk: NameChunk?
    private var capacity = 0

    /// - Parameter octets: at most ``longest``.
    mutating func keep(_ octets: UnsafeBufferPointer<UInt8>) -> StoredName {
        precondition(octets.count <= Self.longest)
        if let chunk, let offset = chunk.keep(octets) { return StoredName(chunk, offset, octets.count) }
        // One name takes no more than it needs, a few messages take little, and very many take few chunks.
        let fresh = NameChunk(max(capacity, octets.count, 1))
        capacity = min(max(capacity, 64) * 4, Self.largestChunk)
        chunk = fresh
        return StoredName(fresh, fresh.keep(octets) ?? 0, octets.count)
    }
}

/// Octets that are written once.
private final class NameChunk: Sendable {
    /// Sendable by proof: a place is taken by advancing `used`, which is atomic, so that no two have the same; only
    /// ``keep(_:)`` writes, into the place that it took, before it tells anybody where that is; afterwards it is only read.
    private nonisolated(unsafe) let start: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    private let used = Atomic<Int>(0)

    init(_ capacity: Int) {
        self.capacity = capacity
        start = .allocate(capacity: capacity)
    }

    deinit { start.deallocate() }

    /// - Returns: the offset; nil when there is no room.
    func keep(_ octets: UnsafeBufferPointer<UInt8>) -> Int? {
        // Checked beforehand, so that attempts in vain do not add up; what is taken and too large is lost.
        guard used.load(ordering: .relaxed) + octets.count <= capacity else { return nil }
        let end = used.add(octets.count, ordering: .relaxed).newValue
        guard end <= capacity else { return nil }
        if let source = octets.baseAddress { (start + (end - octets.count)).initialize(from: source, count: octets.count) }
        return end - octets.count
    }

    func announce(_ offset: Int, _ count: Int) {
        postern_prefetch(start + offset)
        postern_prefetch(start + (offset + max(count - 1, 0)))
    }

    func withOctets<Value>(_ offset: Int, _ count: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Value) -> Value {
        defer { withExtendedLifetime(self) {} }
        return body(UnsafeBufferPointer(start: start + offset, count: count))
    }
}
