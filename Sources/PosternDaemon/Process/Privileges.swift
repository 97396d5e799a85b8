import Foundation

/// Giving up root once the ports are bound.
enum Privileges {
    struct Failure: Error, CustomStringConvertible { let description: String }

    struct User: Sendable {
        let name: String
        let uid: uid_t
        let gid: gid_t
    }

    /// The user to become: nil when none is configured or we are not root.
    static func target(_ name: String) throws -> User? {
        guard !name.isEmpty, geteuid() == 0 else { return nil }
        var record = passwd()
        var buffer = [CChar](repeating: 0, count: 16384)
        var found: UnsafeMutablePointer<passwd>?
        guard getpwnam_r(name, &record, &buffer, buffer.count, &found) == 0, found != nil else {
            throw Failure(description: "user = \"\(name)\": there is no such user; make it with: useradd --system --home-dir / --shell /usr/sbin/nologin \(name)")
        }
        return User(name: name, uid: record.pw_uid, gid: record.pw_gid)
    }

    /// Runs `body` as the user, and root again after it, so that what it makes belongs to the user.
    static func acting<Result>(as user: User?, _ body: () throws -> Result) throws -> Result {
        guard let user else { return try body() }
        guard setegid(user.gid) == 0, seteuid(user.uid) == 0 else {
            throw Failure(description: "cannot act as user \(user.name): \(String(cString: strerror(errno)))")
        }
        let result = Swift.Result(catching: body)
        guard seteuid(0) == 0, setegid(0) == 0 else {
            throw Failure(description: "cannot bind the ports: root did not come back after acting as \(user.name)")
        }
        return try result.get()
    }

    /// Supplementary groups, group and user, for good: it is checked that root cannot come back.
    static func become(_ user: User) throws {
        guard initgroups(user.name, user.gid) == 0, setgid(user.gid) == 0, setuid(user.uid) == 0 else {
            throw Failure(description: "cannot become user \(user.name): \(String(cString: strerror(errno)))")
        }
        guard user.uid == 0 || setuid(0) != 0 else {
            throw Failure(description: "root could be regained after becoming \(user.name); refusing to run")
        }
    }
}

/// The folder that holds everything we write.
enum DataFolder {
    /// Makes the folder (0700) when it is missing and checks that it can be written.
    static func prepare(_ path: String, owner: Privileges.User?) throws {
        for folder in [path, path + "/mail", path + "/queue", path + "/spool"] {
            if mkdir(folder, 0o700) != 0, errno != EEXIST {
                let why = String(cString: strerror(errno))
                throw Privileges.Failure(description: "data_directory \(folder) cannot be made: \(why). Make it, owned by the user that postern runs as, or name another one.")
            }
        }
        if let owner { try handOver(path, to: owner) }
        try Privileges.acting(as: owner) { try probe(path) }
    }

    /// access() lets root pass on a read-only file system's permission bits only, so this tries for real.
    private static func probe(_ path: String) throws {
        guard faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0 else { throw notWritable(path) }
        let file = path + "/spool/.probe-\(getpid())"
        let descriptor = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw notWritable(path) }
        close(descriptor)
        unlink(file)
    }

    /// Gives the folder, and what root put into it with `postern account`, to the user that goes on. Not what lies
    /// deeper: the user may be writing there, and root must not follow paths that another can change.
    private static func handOver(_ path: String, to user: Privileges.User) throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in [path] + names.map({ path + "/" + $0 }) where lchown(name, user.uid, user.gid) != 0 {
            throw Privileges.Failure(description: "\(name) cannot be given to user \(user.name): \(String(cString: strerror(errno)))")
        }
    }

    private static func notWritable(_ path: String) -> Privileges.Failure {
        Privileges.Failure(description: "data_directory \(path) cannot be written: \(String(cString: strerror(errno))). Mail could not be stored, so the gateway does not start.")
    }
}
