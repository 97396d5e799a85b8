import Foundation

/// Whether a user may read or write a path, from owners and modes: the process itself may be root, whom nothing stops.
public struct FileAccess: Sendable {
    public struct User: Sendable, Hashable {
        public let name: String
        public let uid: uid_t
        public let groups: Set<gid_t>

        public init(name: String, uid: uid_t, groups: Set<gid_t>) {
            self.name = name
            self.uid = uid
            self.groups = groups
        }

        /// The user of that name; for an empty name whoever runs the process; nil when there is no such user.
        public static func named(_ name: String) -> User? {
            var record = passwd()
            var buffer = [CChar](repeating: 0, count: 16384)
            var found: UnsafeMutablePointer<passwd>?
            let status = name.isEmpty ? getpwuid_r(geteuid(), &record, &buffer, buffer.count, &found) : getpwnam_r(name, &record, &buffer, buffer.count, &found)
            guard status == 0, found != nil else { return nil }
            let login = String(cString: record.pw_name)
            var groups = [gid_t](repeating: 0, count: 256)
            var count = Int32(groups.count)
            guard getgrouplist(login, record.pw_gid, &groups, &count) >= 0 else { return User(name: login, uid: record.pw_uid, groups: [record.pw_gid]) }
            return User(name: login, uid: record.pw_uid, groups: Set(groups.prefix(Int(count))))
        }
    }

    let user: User

    public init(_ user: User) { self.user = user }

    /// Why the user cannot read a file, or nil. Links are followed, as open(2) would.
    public func obstacle(toReading path: String) -> String? {
        guard let real = realpath(path, nil).map({ pointer in defer { free(pointer) }; return String(cString: pointer) }) else {
            return errno == ENOENT ? "there is no such file" : String(cString: strerror(errno))
        }
        var folder = ""
        for part in real.split(separator: "/").dropLast() {
            folder += "/" + part
            if !may(folder, 0o1) { return "user \(user.name) may not enter the folder \(folder)" }
        }
        return may(real, 0o4) ? nil : "user \(user.name) may not read it"
    }

    /// - Parameter bits: of one class: 4 read, 2 write, 1 execute or enter.
    func may(_ path: String, _ bits: mode_t) -> Bool {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return false }
        if user.uid == 0 { return true }
        if facts.st_uid == user.uid { return facts.st_mode >> 6 & bits == bits }
        if user.groups.contains(facts.st_gid) { return facts.st_mode >> 3 & bits == bits }
        return facts.st_mode & bits == bits
    }
}
