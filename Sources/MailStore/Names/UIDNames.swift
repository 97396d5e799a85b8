/// Which UID each base name has, also of files that are gone: what `dovecot-uidlist` says, in its order.
struct UIDNames: Sendable {
    private(set) var table = NameTable()
    /// Ascending; beside the table's names.
    private(set) var uids: ContiguousArray<UInt32> = []

    /// Different names.
    var count: Int { table.count }

    mutating func reserveCapacity(_ count: Int) {
        table.reserveCapacity(count)
        uids.reserveCapacity(count)
    }

    /// - Parameter uid: higher than all before. A name that is there gets it as well, and that one counts.
    mutating func append(_ base: UnsafeBufferPointer<UInt8>, uid: UInt32) {
        // No file has such a name.
        guard base.count <= NameArena.longest else { return }
        table.append(base)
        uids.append(uid)
    }

    mutating func append(_ base: StoredName, uid: UInt32) {
        table.append(base)
        uids.append(uid)
    }

    subscript(base: StoredName) -> UInt32? { table.index(of: base).map { uids[$0] } }
    subscript(base: [UInt8]) -> UInt32? { table.index(of: base).map { uids[$0] } }
    subscript(base: String) -> UInt32? { self[Array(base.utf8)] }
}
