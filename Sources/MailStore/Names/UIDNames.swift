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

    /// Names whose tags are their UIDs.
    mutating func append(_ batch: inout NameBatch) {
        table.announce(batch.hashes)
        batch.empty { name, uid, hash in
            table.append(name, hash: hash)
            uids.append(uid)
        }
    }

    /// All names of a table in its order, where none of them is known: they get UIDs from that one on.
    mutating func append(_ names: NameTable, from uid: UInt32) {
        uids.append(contentsOf: uid..<(uid + UInt32(names.names.count)))
        guard !table.isEmpty else {
            table = names
            return
        }
        // Copies: a few names that share no memory with others would hold more than they need.
        for name in names.names { name.withOctets { table.append($0) } }
    }

    subscript(base: StoredName) -> UInt32? { table.index(of: base).map { uids[$0] } }
    subscript(base: [UInt8]) -> UInt32? { table.index(of: base).map { uids[$0] } }
    subscript(base: String) -> UInt32? { self[Array(base.utf8)] }
}
