import Foundation

/// Folder, lock and whole files, as the key store needs them: private, and on disk when they return. Blocks.
enum KeyFolder {
    /// Makes a folder with mode 0700, owned by whoever owns the one above: root's commands must not lock the server out.
    static func make(_ path: String) throws {
        guard mkdir(path, 0o700) == 0 else {
            guard errno == EEXIST else { throw KeyStore.Failure.system(path, "cannot be made") }
            return
        }
        try adopt(path, from: parent(path))
        try sync(parent(path))
    }

    /// Runs `body` while no other process or thread does so for the same file.
    static func locked<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw KeyStore.Failure.system(path, "cannot be opened") }
        defer { close(descriptor) }
        try adopt(path, from: parent(path))
        // Held for the time of a file's replacement; ten seconds mean that its holder hangs.
        for _ in 0..<1000 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return try body() }
            guard errno == EWOULDBLOCK || errno == EINTR else { break }
            usleep(10_000)
        }
        throw KeyStore.Failure(path, "is locked by another process that does not end")
    }

    /// Writes under another name, syncs, and renames: a reader sees the old file or the new one, whole.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t, replacing: Bool) throws {
        let temporary = path + ".new-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw KeyStore.Failure.system(temporary, "cannot be made") }
        defer { unlink(temporary) }
        do {
            defer { close(descriptor) }
            try writeAll(descriptor, bytes, temporary)
            guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0 else { throw KeyStore.Failure.system(temporary, "cannot be written") }
        }
        try adopt(temporary, from: parent(path))
        // link() refuses where rename() would overwrite.
        guard (replacing ? rename(temporary, path) : link(temporary, path)) == 0 else { throw KeyStore.Failure.system(path, "cannot be put in place") }
        try sync(parent(path))
    }

    static func sync(_ folder: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw KeyStore.Failure.system(folder, "cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw KeyStore.Failure.system(folder, "cannot be synced") }
    }

    private static func writeAll(_ descriptor: Int32, _ bytes: [UInt8], _ path: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 || errno == EINTR else { throw KeyStore.Failure.system(path, "cannot be written") }
            rest = rest.dropFirst(max(count, 0))
        }
    }

    private static func adopt(_ path: String, from folder: String) throws {
        guard geteuid() == 0 else { return }
        var facts = stat()
        guard stat(folder, &facts) == 0, lchown(path, facts.st_uid, facts.st_gid) == 0 else {
            throw KeyStore.Failure.system(path, "cannot be given to the owner of \(folder)")
        }
    }

    private static func parent(_ path: String) -> String {
        let folder = (path as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }
}
