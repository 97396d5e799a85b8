import Foundation
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The folder into which everybody on this machine may put mail while nobody may look into it: `maildrop`.
///
/// Mode 3733. Without the right to read nobody learns another's file names, the sticky bit keeps everybody from others'
/// files, and the set-group-ID bit gives each file the server's group, so that the server can read what is closed to all
/// others. No program has to be set-user-ID or set-group-ID for it.
public struct DropFolder: Sendable {
    public let path: String
    static let mode: mode_t = 0o3733
    /// Of a file that is whole; one that is being written has no right for the group.
    static let ready: mode_t = 0o640
    static let unfinished: mode_t = 0o600
    static let prefix = "d-"
    static let damagedPrefix = "damaged-"

    public init(path: String) { self.path = path }

    /// Makes the folder, or mends its mode. As the user that the server runs as. Blocks.
    /// - Throws: ``DropError``.
    public func prepare() throws(DropError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw .system(call: "mkdir \(path)", code: errno) }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(call: "open \(path)", code: errno) }
        defer { close(descriptor) }
        guard fchmod(descriptor, Self.mode) == 0 else { throw .system(call: "chmod \(path)", code: errno) }
    }

    /// Files that may be messages, oldest name first: a name begins with its time. Blocks.
    func names(limit: Int) throws(DropError) -> [String] {
        guard let folder = opendir(path) else { throw .system(call: "open \(path)", code: errno) }
        defer { closedir(folder) }
        var out: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if Self.isName(name) { out.append(name) }
        }
        return Array(out.sorted().prefix(limit))
    }

    /// Octets that cannot lead out of the folder.
    static func isName(_ name: String) -> Bool {
        name.hasPrefix(prefix) && name.utf8.count <= 80 && name.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == 45 }
    }

    /// A name that nobody else guesses and that sorts by time.
    static func freshName() -> String {
        let now = String(UInt64(max(Date().timeIntervalSince1970, 0) * 1_000_000), radix: 36)
        return prefix + String(repeating: "0", count: max(0, 12 - now.count)) + now + "-"
            + String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
    }

    /// - Returns: whether it is gone.
    @discardableResult
    func remove(_ name: String) -> Bool { unlink(path + "/" + name) == 0 || errno == ENOENT }

    /// Keeps what is no message out of the way, for the administrator.
    /// - Returns: whether it is.
    func setAside(_ name: String) -> Bool { rename(path + "/" + name, path + "/" + Self.damagedPrefix + name) == 0 || errno == ENOENT }

    /// Whether a file is still being written. What is no file at all is not: reading tells what is wrong with it.
    func isUnfinished(_ name: String) -> Bool {
        var facts = stat()
        guard lstat(path + "/" + name, &facts) == 0 else { return true }
        return facts.st_mode & S_IFMT == S_IFREG && facts.st_mode & 0o7777 != Self.ready
    }
}
