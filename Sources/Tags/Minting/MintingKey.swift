import StateFiles

/// The minting key's file: 32 random octets, readable by the owner only. Nodes that mint for the same domains share it;
/// a lost key turns every minted tag that is not in the ledger into a guess.
public enum MintingKey {
    public struct Problem: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Reads the key, or makes one where there is none. Blocks.
    /// - Throws: ``Problem``.
    public static func load(_ path: String) throws(Problem) -> [UInt8] {
        do {
            if let key = try SecretFile.read(path) { return try checked(key, path) }
            try SecretFile.create(path, try SecretFile.random(32, for: path))
            // What is there now, which may be another process's: two that start at once must not each have a key of its own.
            return try checked(try SecretFile.read(path) ?? [], path)
        } catch let problem as Problem { throw problem } catch { throw Problem(description: "the minting key \(error)") }
    }

    private static func checked(_ key: [UInt8], _ path: String) throws(Problem) -> [UInt8] {
        guard key.count >= TagMint.keyLength, key.count <= 1_024 else {
            throw Problem(description: "\(path) is not a minting key: it has \(key.count) octets; restore it from a copy, or remove it to have a new one made")
        }
        return key
    }
}
