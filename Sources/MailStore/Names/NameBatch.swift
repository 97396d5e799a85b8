/// Some names, to be looked up one after the other. In a large table each step of a search waits for memory; what is
/// announced for many names at once (``NameTable/announce(_:and:)``) is waited for once.
struct NameBatch {
    private static let size = 128

    private var octets: [UInt8] = []
    private var ends: [Int] = []
    private var tags: [UInt32] = []
    private(set) var hashes: [UInt32] = []

    var isFull: Bool { ends.count >= Self.size }

    /// - Parameters:
    ///   - name: is copied.
    ///   - base: how much of it is looked up.
    ///   - tag: comes back with it.
    mutating func append(_ name: UnsafeBufferPointer<UInt8>, base: Int, tag: UInt32) {
        octets.append(contentsOf: name)
        ends.append(octets.count)
        tags.append(tag)
        hashes.append(NameTable.hash(of: UnsafeBufferPointer(rebasing: name[..<base])))
    }

    /// Hands the names on in their order and forgets them.
    mutating func empty(_ take: (_ name: UnsafeBufferPointer<UInt8>, _ tag: UInt32, _ hash: UInt32) -> Void) {
        octets.withUnsafeBufferPointer { octets in
            var start = 0
            for index in ends.indices {
                take(UnsafeBufferPointer(rebasing: octets[start..<ends[index]]), tags[index], hashes[index])
                start = ends[index]
            }
        }
        octets.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        tags.removeAll(keepingCapacity: true)
        hashes.removeAll(keepingCapacity: true)
    }
}
