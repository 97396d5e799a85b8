#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The system calls the store needs, with errno turned into ``StoreError``. All of them block.
enum Files {
    static func failure(_ call: String, _ path: String) -> StoreError { .system(call: call, path: path, code: errno) }

    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(StoreError) -> Int32 {
        while true {
            let descriptor = posixOpen(path, flags | O_CLOEXEC | O_NOFOLLOW, mode)
            if descriptor >= 0 { return descriptor }
            guard errno == EINTR else { throw failure("open", path) }
        }
    }

    static func writeAll(_ raw: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws(StoreError) {
        var offset = 0
        while offset < raw.count {
            let put = write(descriptor, raw.baseAddress?.advanced(by: offset), raw.count - offset)
            if put < 0, errno == EINTR { continue }
            guard put > 0 else { throw failure("write", path) }
            offset += put
        }
    }

    /// The file from an offset on, up to the limit; nil when there is none. For the store's own text files.
    static func contents(_ path: String, from start: Int = 0, limit: Int = .max) throws(StoreError) -> [UInt8]? {
        let descriptor: Int32
        do { descriptor = try open(path, O_RDONLY) } catch {
            if error.isMissingFile { return nil }
            throw error
        }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw failure("fstat", path) }
        var failed: StoreError?
        let out = [UInt8](unsafeUninitializedCapacity: min(max(Int(info.st_size) - start, 0), limit)) { buffer, filled in
            let size = buffer.count
            while filled < size {
                let got = pread(descriptor, buffer.baseAddress?.advanced(by: filled), size - filled, off_t(start + filled))
                if got < 0, errno == EINTR { continue }
                if got < 0 { failed = failure("read", path) }
                guard got > 0 else { break }
                filled += got
            }
        }
        if let failed { throw failed }
        return out
    }

    /// Replaces a file so that a crash leaves the old or the new one: temporary file, fsync, rename, fsync of the folder.
    static func replace(_ path: String, with bytes: [UInt8]) throws(StoreError) {
        let temporary = path + ".tmp"
        let descriptor = try open(temporary, O_WRONLY | O_CREAT | O_TRUNC)
        do throws(StoreError) {
            defer { close(descriptor) }
            try writeWhole(bytes, to: descriptor, path: temporary)
            guard fsync(descriptor) == 0 else { throw failure("fsync", temporary) }
        } catch {
            unlink(temporary)
            throw error
        }
        try rename(temporary, to: path)
        try syncFolder(parent(of: path))
    }

    /// Makes a file that nobody ever sees empty. Not durable.
    /// - Throws: ``StoreError/system(call:path:code:)`` with `EEXIST` where there is one.
    static func createWhole(_ path: String, with bytes: [UInt8]) throws(StoreError) {
        let descriptor = try nameless(in: parent(of: path))
        defer { close(descriptor) }
        try writeWhole(bytes, to: descriptor, path: path)
        // By descriptor it takes a privilege (AT_EMPTY_PATH), by this name none: open(2), O_TMPFILE.
        if linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 { return }
        guard errno != EEXIST else { throw failure("link", path) }
        // No /proc, or a file system that knows no nameless files.
        let named = try open(path, O_WRONLY | O_CREAT | O_EXCL)
        defer { close(named) }
        try writeWhole(bytes, to: named, path: path)
    }

    /// Appends and makes it durable. The file must exist.
    static func append(_ bytes: [UInt8], to path: String) throws(StoreError) {
        let descriptor = try open(path, O_WRONLY | O_APPEND)
        defer { close(descriptor) }
        try writeWhole(bytes, to: descriptor, path: path)
        guard fdatasync(descriptor) == 0 else { throw failure("fdatasync", path) }
    }

    /// Appends and leaves it to the system when that reaches the disk. The file must exist.
    static func appendQuickly(_ bytes: [UInt8], to path: String) throws(StoreError) {
        let descriptor = try open(path, O_WRONLY | O_APPEND)
        defer { close(descriptor) }
        try writeWhole(bytes, to: descriptor, path: path)
    }

    static func writeWhole(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(StoreError) {
        let result = bytes.withUnsafeBytes { raw -> Result<Void, StoreError> in
            do throws(StoreError) { return .success(try writeAll(raw, to: descriptor, path: path)) } catch { return .failure(error) }
        }
        try result.get()
    }

    static func rename(_ from: String, to: String) throws(StoreError) {
        guard posixRename(from, to) == 0 else { throw failure("rename", from) }
    }

    static func link(_ from: String, to: String) throws(StoreError) {
        guard posixLink(from, to) == 0 else { throw failure("link", from) }
    }

    static func syncFolder(_ path: String) throws(StoreError) {
        let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("fsync", path) }
    }

    /// Makes the folder, 0700; fine if a real folder is there already.
    static func makeFolder(_ path: String) throws(StoreError) {
        if mkdir(path, 0o700) == 0 { return }
        guard errno == EEXIST else { throw failure("mkdir", path) }
        guard isFolder(path) else { throw .system(call: "mkdir", path: path, code: ENOTDIR) }
    }

    /// A real folder, not a symbolic link to one.
    static func isFolder(_ path: String) -> Bool {
        var info = stat()
        return lstat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }

    enum Kind { case file, folder, link, other, missing }

    /// What is at the path itself; links are not followed.
    static func kind(_ path: String) -> Kind {
        var info = stat()
        guard lstat(path, &info) == 0 else { return .missing }
        switch info.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        case S_IFLNK: return .link
        default: return .other
        }
    }

    /// The names in a folder, `.` and `..` left out, in the file system's order.
    static func names(in path: String) throws(StoreError) -> [String] {
        var out: [String] = []
        try forEachEntry(in: path) { out.append(String(decoding: $1, as: UTF8.self)) }
        return out
    }

    /// The names of regular files in a folder, in the file system's order.
    static func fileNames(in path: String) throws(StoreError) -> [String] {
        var out: [String] = []
        try forEachFileName(in: path) { out.append(String(decoding: $0, as: UTF8.self)) }
        return out
    }

    /// The names of regular files in a folder as octets, in the file system's order, with nothing made of them yet.
    static func forEachFileName(in path: String, _ body: (UnsafeBufferPointer<UInt8>) -> Void) throws(StoreError) {
        try forEachEntry(in: path) { type, name in
            // Few file systems say nothing of the type.
            if type == UInt8(DT_REG) || (type == UInt8(DT_UNKNOWN) && kind(path + "/" + String(decoding: name, as: UTF8.self)) == .file) { body(name) }
        }
    }

    /// `.` and `..` left out.
    private static func forEachEntry(in path: String, _ body: (UInt8, UnsafeBufferPointer<UInt8>) -> Void) throws(StoreError) {
        guard let stream = opendir(path) else { throw failure("opendir", path) }
        defer { closedir(stream) }
        errno = 0
        while let entry = readdir(stream) {
            let type = entry.pointee.d_type
            withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: UInt8.self, capacity: 256) { octets in
                    let length = strlen(UnsafeRawPointer(octets).assumingMemoryBound(to: CChar.self))
                    let isDot = octets[0] == 46 && (length == 1 || length == 2 && octets[1] == 46)
                    if !isDot { body(type, UnsafeBufferPointer(start: octets, count: length)) }
                }
            }
            errno = 0
        }
        guard errno == 0 else { throw failure("readdir", path) }
    }

    /// Removes a folder with what is in it. Never follows symbolic links: `unlink` removes the link itself.
    static func removeTree(_ path: String, depth: Int = 0) throws(StoreError) {
        for name in try names(in: path) {
            let inner = path + "/" + name
            if isFolder(inner), depth < 8 { try removeTree(inner, depth: depth + 1) } else if unlink(inner) != 0, errno != ENOENT {
                throw failure("unlink", inner)
            }
        }
        guard rmdir(path) == 0 || errno == ENOENT else { throw failure("rmdir", path) }
    }

    /// A new file that has no name, and is gone when it is closed.
    static func nameless(in folder: String) throws(StoreError) -> Int32 {
        // `__O_TMPFILE | O_DIRECTORY`: a macro that Swift does not see.
        let made = posixOpen(folder, 0o20000000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o600)
        if made >= 0 { return made }
        // A file system that cannot: a name for a moment.
        var template = Array((folder + "/copy.XXXXXX").utf8CString)
        let named = mkstemp(&template)
        guard named >= 0 else { throw failure("mkstemp", folder) }
        unlink(template)
        return named
    }

    static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}

// Inside `Files` the short names mean the members; these mean the C library's.
private func posixOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }
private func posixRename(_ from: String, _ to: String) -> Int32 { rename(from, to) }
private func posixLink(_ from: String, _ to: String) -> Int32 { link(from, to) }
