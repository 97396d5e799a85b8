import COpenSSL
import Foundation

/// The minting key's file: 32 random octets, readable by the owner only. Nodes that mint for the same domains share it;
/// a lost key turns every minted tag that is not in the ledger into a guess.
public enum MintingKey {
    public struct Problem: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Reads the key, or makes one where there is none. Blocks.
    /// - Throws: ``Problem``.
    public static func load(_ path: String) throws(Problem) -> [UInt8] {
        if let key = try read(path) { return key }
        try create(path)
        // What is there now, which may be another process's: two that start at once must not each have a key of its own.
        guard let key = try read(path) else { throw Problem(description: "the minting key \(path) cannot be read: may this user read it?") }
        return key
    }

    private static func read(_ path: String) throws(Problem) -> [UInt8]? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        guard data.count >= TagMint.keyLength, data.count <= 1_024 else {
            throw Problem(description: "\(path) is not a minting key: it has \(data.count) octets; restore it from a copy, or remove it to have a new one made")
        }
        return Array(data)
    }

    /// Writes a new key beside the path and links it there: a key is seen whole or not at all, and never replaced.
    private static func create(_ path: String) throws(Problem) {
        var key = [UInt8](repeating: 0, count: 32)
        guard RAND_bytes(&key, Int32(key.count)) == 1 else { throw Problem(description: "no random octets for the minting key \(path)") }
        let draft = path + ".\(getpid()).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path) }
        defer { unlink(draft) }
        let written = write(descriptor, key, key.count) == key.count && fsync(descriptor) == 0
        close(descriptor)
        guard written, link(draft, path) == 0 || errno == EEXIST else { throw failure(path) }
    }

    private static func failure(_ path: String) -> Problem {
        Problem(description: "the minting key \(path) cannot be made: \(String(cString: strerror(errno)))")
    }
}
