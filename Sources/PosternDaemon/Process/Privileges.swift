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

    /// Runs something as the user, so that what it makes on disk is the user's, and becomes root again. The whole process
    /// acts as the user meanwhile: for start-up only.
    static func acting<Value>(as user: User?, _ work: () throws -> Value) throws -> Value {
        guard let user else { return try work() }
        guard setegid(user.gid) == 0, seteuid(user.uid) == 0 else {
            throw Failure(description: "cannot act as user \(user.name): \(String(cString: strerror(errno)))")
        }
        defer {
            _ = seteuid(0)
            _ = setegid(getgid())
        }
        return try work()
    }

    /// Those of the files that cannot be read by whom we have become: a reload would stumble over them.
    static func unreadable(_ paths: [String]) -> [String] { paths.filter { !$0.isEmpty && access($0, R_OK) != 0 } }

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
            if let owner { _ = chown(folder, owner.uid, owner.gid) }
        }
        guard owner != nil || access(path, W_OK | X_OK) == 0 else { throw notWritable(path) }
        // access() lets root pass on a read-only file system's permission bits only; try for real.
        let probe = path + "/spool/.probe-\(getpid())"
        let descriptor = open(probe, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw notWritable(path) }
        close(descriptor)
        unlink(probe)
    }

    /// Gives the user what an earlier run or a command made there as root. Everything below is made by the user itself.
    static func handOver(_ path: String, to user: Privileges.User) throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in [path] + names.map({ path + "/" + $0 }) where isRoots(name) && lchown(name, user.uid, user.gid) != 0 {
            throw Privileges.Failure(description: "\(name) cannot be given to user \(user.name): \(String(cString: strerror(errno)))")
        }
    }

    /// A file with two names is left alone: the user could have made one of them, to be given what the other stands for.
    private static func isRoots(_ path: String) -> Bool {
        var info = stat()
        guard lstat(path, &info) == 0, info.st_uid == 0 else { return false }
        return info.st_mode & S_IFMT == S_IFDIR || info.st_nlink == 1
    }

    private static func notWritable(_ path: String) -> Privileges.Failure {
        Privileges.Failure(description: "data_directory \(path) cannot be written: \(String(cString: strerror(errno))). Mail could not be stored, so the gateway does not start.")
    }
}
