import Synchronization

/// A table's entries as its file has them now. The rules that use it and whoever watches the file share it.
public final class PolicyTable: Sendable {
    /// What a look at the file brought.
    public enum Change: Sendable {
        case none
        /// The new entries are in force.
        case read
        /// The new file has mistakes or cannot be read; the entries of before stay in force.
        case refused([PolicyDiagnostic])
    }

    public let path: String
    let type: PolicyType
    private let entries: Mutex<Entries>
    private let stamp: Mutex<PolicyFileStamp?>

    /// Behind a reference, so that a look-up holds the lock for a moment and copies nothing.
    private final class Entries: Sendable {
        let set: MemberSet
        init(_ set: MemberSet) { self.set = set }
    }

    init(path: String, type: PolicyType, set: MemberSet, stamp: PolicyFileStamp?) {
        self.path = path
        self.type = type
        entries = Mutex(Entries(set))
        self.stamp = Mutex(stamp)
    }

    var set: MemberSet { entries.withLock { $0 }.set }

    /// Reads the file again if it is not the one that was read last. Blocks.
    public func refresh(_ reader: any PolicyFileReader = DiskPolicyFileReader()) -> Change {
        let present = reader.stamp(of: path)
        guard stamp.withLock({ $0 != present }) else { return .none }
        // Noted before reading: what is written meanwhile is seen at the next look, and a mistake is told once.
        stamp.withLock { $0 = present }
        do {
            let (set, mistakes) = try TableText.parse(path, try reader.read(path, limit: TableLoader.sizeLimit), as: type)
            guard mistakes.isEmpty else { return .refused(mistakes) }
            entries.withLock { $0 = Entries(set) }
            return .read
        } catch { return .refused([PolicyDiagnostic(file: path, message: "\(error)")]) }
    }
}

/// What `in` and a list's `contains` stand before.
enum Members: Sendable {
    case list(MemberSet)
    case table(PolicyTable)

    func containsAny(of values: [PolicyValue]) -> Bool {
        guard !values.isEmpty else { return false }
        switch self {
        case .list(let set): return values.contains(where: set.contains)
        case .table(let table):
            let set = table.set
            return values.contains(where: set.contains)
        }
    }
}
