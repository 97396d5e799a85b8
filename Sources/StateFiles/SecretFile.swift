import COpenSSL
import Foundation

/// A file with a secret of this installation, readable by its owner alone.
public enum SecretFile {
    /// Random octets for a new secret.
    /// - Throws: ``StateFileError`` when there are none to be had.
    public static func random(_ count: Int, for path: String) throws(StateFileError) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: count)
        guard RAND_bytes(&octets, Int32(count)) == 1 else { throw StateFileError(path: path, reason: "there are no random octets for a new secret") }
        return octets
    }

    /// What the file holds; nil when there is none. Blocks.
    /// - Throws: ``StateFileError`` when it is there and cannot be read, is open to every user of this machine, or is larger
    ///   than 64 KiB.
    public static func read(_ path: String) throws(StateFileError) -> [UInt8]? {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & 0o007 != 0 {
            throw StateFileError(path: path, reason: "it is open to every user of this machine; run: chmod o-rwx \(path)")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            guard !FileManager.default.fileExists(atPath: path) else { throw StateFileError(path: path, reason: "may this user read it?") }
            return nil
        }
        guard data.count <= 65_536 else { throw StateFileError(path: path, reason: "it is too large for a secret") }
        return Array(data)
    }

    /// Writes a new file beside the path and links it there: it is seen whole or not at all, and never replaced. When
    /// another process was faster its secret stays, so read what is there then. Blocks.
    /// - Throws: ``StateFileError``.
    public static func create(_ path: String, _ octets: [UInt8]) throws(StateFileError) {
        let draft = path + ".\(getpid()).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StateFileError(path: path, reason: String(cString: strerror(errno))) }
        defer { unlink(draft) }
        let written = write(descriptor, octets, octets.count) == octets.count && fsync(descriptor) == 0
        let reason = String(cString: strerror(errno))
        close(descriptor)
        guard written else { throw StateFileError(path: path, reason: reason) }
        guard link(draft, path) == 0 || errno == EEXIST else { throw StateFileError(path: path, reason: String(cString: strerror(errno))) }
    }
}
