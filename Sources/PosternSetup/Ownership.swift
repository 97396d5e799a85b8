import Foundation

/// Whose a file is to be.
struct Ownership: Sendable, Hashable {
    /// nil: whoever runs this.
    let user: String?
    /// Root's, and readable by the user's group alone: settings name passwords' files, and the server need not change them.
    var isGroupOnly = false

    var groupOnly: Ownership {
        var out = self
        out.isGroupOnly = true
        return out
    }

    var description: String { user.map { isGroupOnly ? "root:\($0)" : "\($0):\($0)" } ?? "yours" }

    /// Gives an open file or folder away. - Throws: ``SetupFailure``.
    func apply(to path: String) throws {
        guard let user, geteuid() == 0 else { return }
        let ids = try Self.ids(of: user)
        guard lchown(path, isGroupOnly ? 0 : ids.uid, ids.gid) == 0 else { throw SetupFailure.system(path, "cannot be given to \(user)") }
    }

    static func exists(_ user: String) -> Bool { (try? ids(of: user)) != nil }

    static func ids(of user: String) throws -> (uid: uid_t, gid: gid_t) {
        var record = passwd()
        var buffer = [CChar](repeating: 0, count: 16384)
        var found: UnsafeMutablePointer<passwd>?
        guard getpwnam_r(user, &record, &buffer, buffer.count, &found) == 0, found != nil else { throw SetupFailure("there is no user \(user)") }
        return (record.pw_uid, record.pw_gid)
    }
}

/// Files that are made whole or not at all, and never replaced.
enum NewFile {
    static func exists(_ path: String) -> Bool {
        var info = stat()
        return lstat(path, &info) == 0
    }

    /// Makes the folders above it, too. - Throws: ``SetupFailure``.
    static func write(_ text: String, to path: String, mode: mode_t, owner: Ownership) throws {
        try folder((path as NSString).deletingLastPathComponent, mode: 0o750, owner: owner)
        let draft = path + ".new-\(getpid())"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw SetupFailure.system(draft, "cannot be made") }
        defer { unlink(draft) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data(text.utf8))
            try handle.synchronize()
        } catch { throw SetupFailure("\(draft) cannot be written: \(error)") }
        // The umask may have taken bits away.
        guard fchmod(descriptor, mode) == 0 else { throw SetupFailure.system(draft, "cannot be given its mode") }
        try owner.apply(to: draft)
        // link() refuses where rename() would overwrite.
        guard link(draft, path) == 0 else { throw SetupFailure.system(path, "cannot be put in place") }
        try sync((path as NSString).deletingLastPathComponent)
    }

    /// Makes the folder where it is missing, and those above it, open to everybody for passing through.
    static func folder(_ path: String, mode: mode_t, owner: Ownership) throws {
        guard !path.isEmpty, !exists(path) else { return }
        try folder((path as NSString).deletingLastPathComponent, mode: 0o755, owner: Ownership(user: nil))
        guard mkdir(path, mode) == 0 else { throw SetupFailure.system(path, "cannot be made") }
        guard chmod(path, mode) == 0 else { throw SetupFailure.system(path, "cannot be given its mode") }
        try owner.apply(to: path)
        try sync((path as NSString).deletingLastPathComponent)
    }

    private static func sync(_ folder: String) throws {
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SetupFailure.system(folder, "cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SetupFailure.system(folder, "cannot be synced") }
    }
}
