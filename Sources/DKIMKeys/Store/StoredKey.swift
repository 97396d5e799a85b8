import DKIM
import Foundation
import NetworkAddress

/// What the store knows of one key, beside its private part.
public struct StoredKey: Sendable, Hashable, Codable {
    /// A key's life, in this order and never back.
    public enum State: String, Sendable, Hashable, Codable {
        /// Made; signs nothing until its record is seen.
        case staged
        /// Signs.
        case active
        /// Signs no more; its record stays, for mail that is still under way.
        case retiring
        /// Done with; the private key is gone, the record may go.
        case retired
    }

    public let selector: String
    /// `rsa-sha256` or `ed25519-sha256`.
    public let algorithm: String
    public let bits: Int
    /// The TXT record's text.
    public let record: String
    public internal(set) var state: State
    public let created: Date
    /// When the record was first seen on every server that was to have it.
    public internal(set) var seenPublished: Date?
    /// When it began to sign.
    public internal(set) var activated: Date?
    /// Until when the record must stay, for a key that retires.
    public internal(set) var keepUntil: Date?
    public internal(set) var retired: Date?

    public init(_ key: SigningKey, created: Date) {
        selector = key.selector
        algorithm = key.algorithm.rawValue
        bits = key.bits
        record = key.publicRecord
        state = .staged
        self.created = created
    }
}

/// The keys of one domain: what the state file holds.
public struct DomainKeys: Sendable, Hashable, Codable {
    /// Of the file's form.
    static let version = 1

    public let version: Int
    public let domain: DomainName
    /// Whether the keys sign for From domains below this one, too.
    public var signsSubdomains: Bool
    /// In the order of their creation.
    public internal(set) var keys: [StoredKey]

    public init(domain: DomainName, signsSubdomains: Bool = false, keys: [StoredKey] = []) {
        version = Self.version
        self.domain = domain
        self.signsSubdomains = signsSubdomains
        self.keys = keys
    }

    /// Where a key's record belongs.
    public func recordName(_ key: StoredKey) -> DomainName? { domain.prepending(key.selector + "._domainkey") }

    public subscript(_ selector: String) -> StoredKey? { keys.first { $0.selector == selector } }
    public func keys(in state: StoredKey.State) -> [StoredKey] { keys.filter { $0.state == state } }

    private enum CodingKeys: String, CodingKey { case version, domain, signsSubdomains, keys }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        version = try values.decode(Int.self, forKey: .version)
        let text = try values.decode(String.self, forKey: .domain)
        guard version == Self.version, let name = DomainName(text), name.isHostName else {
            throw DecodingError.dataCorruptedError(forKey: .domain, in: values, debugDescription: "version \(version) of '\(text)' is not known here")
        }
        domain = name
        signsSubdomains = try values.decode(Bool.self, forKey: .signsSubdomains)
        keys = try values.decode([StoredKey].self, forKey: .keys)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(version, forKey: .version)
        try values.encode(domain.text, forKey: .domain)
        try values.encode(signsSubdomains, forKey: .signsSubdomains)
        try values.encode(keys, forKey: .keys)
    }
}
