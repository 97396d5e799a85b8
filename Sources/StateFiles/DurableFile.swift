import Foundation

/// A file that is replaced whole or not at all, and stays so after a power failure.
public enum DurableFile {
    /// Writes a new file beside the path, syncs it, renames it there and syncs the folder. Blocks.
    /// - Parameter mode: permission bits.
    /// - Throws: ``StateFileError``.
    public static func replace(_ path: String, _ octets: [UInt8], mode: mode_t = 0o600) throws(StateFileError) {
        let draft = path + ".\(getpid()).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw StateFileError(path: path, reason: String(cString: strerror(errno))) }
        defer { unlink(draft) }
        let written = fchmod(descriptor, mode) == 0 && writeAll(descriptor, octets) && fsync(descriptor) == 0
        let reason = String(cString: strerror(errno))
        close(descriptor)
        guard written else { throw StateFileError(path: path, reason: reason) }
        guard rename(draft, path) == 0 else { throw StateFileError(path: path, reason: String(cString: strerror(errno))) }
        try syncFolder(of: path)
    }

    private static func writeAll(_ descriptor: Int32, _ octets: [UInt8]) -> Bool {
        var rest = octets[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func syncFolder(of path: String) throws(StateFileError) {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StateFileError(path: path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StateFileError(path: path, reason: String(cString: strerror(errno))) }
    }
}
