import DKIM
import Foundation
import NetworkAddress

/// Keys in a folder: `DOMAIN/keys.json` says what is what, `DOMAIN/SELECTOR.pem` (mode 0600) are the private keys.
///
/// Everything here blocks. A state file is replaced whole or not at all; changes are made one after the other, by
/// however many processes.
public struct KeyStore: Sendable {
    /// What is wrong with the folder, and what to do.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let description: String

        init(_ path: String, _ what: String) { description = "\(path): \(what)" }
        static func system(_ path: String, _ what: String) -> Failure { Failure(path, "\(what): \(String(cString: strerror(errno)))") }
    }

    public let folder: String
    static let sizeLimit = 1 << 20

    public init(folder: String) { self.folder = folder }

    /// Domains that have a state file, in order; none when the folder is missing.
    public func domains() throws -> [DomainName] {
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
            throw Failure(folder, "cannot be read: \(error.localizedDescription)")
        }
        return names.compactMap { DomainName($0) }.filter { $0.isHostName && access(statePath($0), F_OK) == 0 }.sorted()
    }

    /// Nil for a domain without keys.
    public func load(_ domain: DomainName) throws -> DomainKeys? {
        let path = statePath(domain)
        guard access(path, F_OK) == 0 else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else { throw Failure.system(path, "cannot be read") }
        guard data.count <= Self.sizeLimit else { throw Failure(path, "is larger than 1 MiB: not a key state file") }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        let keys: DomainKeys
        do { keys = try decoder.decode(DomainKeys.self, from: data) } catch {
            throw Failure(path, "is not a key state file (\(error)); restore it from a backup, or move the domain's folder away and make new keys")
        }
        guard keys.domain == domain else { throw Failure(path, "is the state of \(keys.domain), not of \(domain)") }
        return keys
    }

    /// Loads, changes and replaces a domain's state, nobody else in between. What `change` throws leaves it as it was.
    @discardableResult
    public func update<Result>(_ domain: DomainName, _ change: (inout DomainKeys) throws -> Result) throws -> (keys: DomainKeys, result: Result) {
        guard domain.isHostName else { throw Failure(domain.text, "is not a domain that can have keys") }
        try KeyFolder.make(folder)
        try KeyFolder.make(folder + "/" + domain.text)
        return try KeyFolder.locked(folder + "/.lock") {
            let before = try load(domain)
            var keys = before ?? DomainKeys(domain: domain)
            let result = try change(&keys)
            if keys != before { try save(keys) }
            return (keys, result)
        }
    }

    /// Stores a private key, with mode 0600 from its first octet on. Never overwrites one.
    public func store(pem: String, domain: DomainName, selector: String) throws {
        try KeyFolder.write(Array(pem.utf8), to: keyPath(domain, selector), mode: 0o600, replacing: false)
    }

    /// Removes a private key that is needed no more; one that is gone already is well.
    public func removeKey(domain: DomainName, selector: String) throws {
        let path = keyPath(domain, selector)
        guard unlink(path) == 0 || errno == ENOENT else { throw Failure.system(path, "cannot be removed") }
        try KeyFolder.sync(folder + "/" + domain.text)
    }

    /// Reads a private key and checks that it is the one that the state file means.
    /// - Throws: ``SigningKey/Failure`` (mode, form) or ``Failure``.
    public func signingKey(_ key: StoredKey, of domain: DomainName) throws -> SigningKey {
        let path = keyPath(domain, key.selector)
        let read = try SigningKey(pemFile: path, domain: domain, selector: key.selector)
        guard read.publicRecord == key.record else { throw Failure(path, "is not the key whose record is published: it was replaced by hand") }
        return read
    }

    /// The keys that sign now, for a key table.
    public func signingEntries() throws -> [KeyTable.Entry] {
        try domains().flatMap { domain in
            guard let keys = try load(domain) else { return [KeyTable.Entry]() }
            return try keys.keys(in: .active).map { KeyTable.Entry(try signingKey($0, of: domain), subdomains: keys.signsSubdomains) }
        }
    }

    /// Gives everything to the user that the server becomes.
    public func handOver(uid: uid_t, gid: gid_t) throws {
        guard FileManager.default.fileExists(atPath: folder) else { return }
        let below = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        for path in [folder] + below.map({ folder + "/" + $0 }) where lchown(path, uid, gid) != 0 {
            throw Failure.system(path, "cannot be given to user \(uid)")
        }
    }

    private func save(_ keys: DomainKeys) throws {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try KeyFolder.write(Array(try encoder.encode(keys)) + [10], to: statePath(keys.domain), mode: 0o600, replacing: true)
    }

    private func statePath(_ domain: DomainName) -> String { "\(folder)/\(domain.text)/keys.json" }
    public func keyPath(_ domain: DomainName, _ selector: String) -> String { "\(folder)/\(domain.text)/\(selector).pem" }
}
