import Foundation
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Where queue files lie: `tmp` while being written, `messages/0`…`messages/f` by a hash of the id, `corrupt` for what
/// recovery set aside.
struct QueueFolders: Sendable {
    static let split = 16
    let root: String
    private let syncs: [GroupSync]

    init(root: String) {
        self.root = root
        syncs = (0..<Self.split).map { GroupSync(path: Self.hashFolder(root, $0)) }
    }

    var tmp: String { root + "/tmp" }
    var corrupt: String { root + "/corrupt" }
    func folder(_ number: Int) -> String { Self.hashFolder(root, number) }
    func path(of id: String) -> String { folder(Self.hash(id)) + "/" + id }
    func sync(of id: String) -> GroupSync { syncs[Self.hash(id)] }

    /// Makes the folders, for the owner's eyes only, and syncs their parents. Blocks.
    func create() throws(QueueError) {
        for path in [root, tmp, corrupt, root + "/messages"] + (0..<Self.split).map(folder) {
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .errno("mkdir", path) }
        }
        try GroupSync(path: root).sync()
        try GroupSync(path: root + "/messages").sync()
    }

    static func isValid(id: String) -> Bool {
        (1...100).contains(id.utf8.count) && !id.hasPrefix(".") && id.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte == 45 || byte == 46 || byte == 95
        }
    }

    /// FNV-1a: stable from run to run, as Swift's own hashes are not.
    static func hash(_ id: String) -> Int {
        var state: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in id.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int((state ^ (state >> 32)) % UInt64(split))
    }

    private static func hashFolder(_ root: String, _ number: Int) -> String { root + "/messages/" + String(number, radix: 16) }
}
