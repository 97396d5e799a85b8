import InternetMessage
import StateFiles

/// The file of secrets: one on each line, the newest first, which makes addresses; the others are believed until what they
/// made has aged. This is postsrsd's format. Nodes that forward for the same domain share it.
public enum SRSSecrets {
    public struct Problem: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Reads the secrets, or makes one where there is no file. Blocks.
    /// - Throws: ``Problem``.
    public static func load(_ path: String) throws(Problem) -> [[UInt8]] {
        if let secrets = try read(path) { return secrets }
        do { try SecretFile.create(path, Array((Base64.encode(try SecretFile.random(24, for: path)) + "\n").utf8)) } catch {
            throw Problem(description: "the SRS secret \(error)")
        }
        guard let secrets = try read(path) else { throw Problem(description: "the SRS secrets \(path) cannot be read: may this user read it?") }
        return secrets
    }

    /// - Returns: nil when there is no file.
    public static func read(_ path: String) throws(Problem) -> [[UInt8]]? {
        let octets: [UInt8]?
        do { octets = try SecretFile.read(path) } catch { throw Problem(description: "the SRS secrets \(error)") }
        guard let octets else { return nil }
        let lines = octets.split { $0 == 10 || $0 == 13 }.map(Array.init).filter { !$0.isEmpty }
        guard !lines.isEmpty, lines.allSatisfy({ $0.count >= 8 }) else {
            throw Problem(description: "\(path) holds no SRS secrets: a line of 8 octets or more each, the newest first")
        }
        return lines
    }
}
