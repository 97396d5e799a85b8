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

    /// Gives what root made there to the user that goes on; mail and queue that are there already belong to it.
    static func handOver(_ path: String, to user: Privileges.User) throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in [path] + names.map({ path + "/" + $0 }) where lchown(name, user.uid, user.gid) != 0 {
            throw Privileges.Failure(description: "\(name) cannot be given to user \(user.name): \(String(cString: strerror(errno)))")
        }
    }

    private static func notWritable(_ path: String) -> Privileges.Failure {
        Privileges.Failure(description: "data_directory \(path) cannot be written: \(String(cString: strerror(errno))). Mail could not be stored, so the gateway does not start.")
    }
}
