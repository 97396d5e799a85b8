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
        if let data = FileManager.default.contents(atPath: path) {
            guard data.count >= TagMint.keyLength, data.count <= 1_024 else {
                throw Problem(description: "\(path) is not a minting key: it has \(data.count) octets; restore it from a copy, or remove it to have a new one made")
            }
            return Array(data)
        }
        var key = [UInt8](repeating: 0, count: 32)
        guard RAND_bytes(&key, Int32(key.count)) == 1 else { throw Problem(description: "no random octets for \(path)") }
        try create(path, key)
        return key
    }

    /// O_EXCL: two processes that start at once must not each believe in a key of its own. The loser reads the winner's.
    private static func create(_ path: String, _ key: [UInt8]) throws(Problem) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        guard write(descriptor, key, key.count) == key.count, fsync(descriptor) == 0 else { throw failure(path) }
    }

    private static func failure(_ path: String) -> Problem {
        Problem(description: "the minting key \(path) cannot be made: \(String(cString: strerror(errno)))")
    }
}
