import DKIM
import Foundation
import NetworkAddress

/// The operations on keys that a command or a running server asks for: store, DNS and rotation tied together.
///
/// All methods block for the store's files, and `create` and `rotate` for the making of keys.
public struct KeyKeeper: Sendable {
    public enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        case hasKeys(DomainName, algorithm: String)
        case noKeys(DomainName)
        case nothingDue(DomainName, next: Date?)

        public var description: String {
            switch self {
            case .hasKeys(let domain, let algorithm):
                "\(domain) has a \(algorithm) key already: to replace it, run postern dkim rotate \(domain)"
            case .noKeys(let domain): "\(domain) has no keys in the store: make them with postern dkim new \(domain)"
            case .nothingDue(let domain, let next):
                "no key of \(domain) is to be retired now" + (next.map { "; the next one on \(KeyTime.text($0))" } ?? "")
                    + ". A key that still signs is replaced by postern dkim rotate \(domain)"
            }
        }
    }

    /// One domain, with what the DNS said of each key that was looked up.
    public struct Report: Sendable {
        public let keys: DomainKeys
        /// By selector. Retired keys are not looked up.
        public let publications: [String: Publication]
        /// Selectors that this check let begin to sign.
        public let activated: [String]
    }

    public let store: KeyStore
    private let check: PublicationCheck
    private let retirement: TimeInterval
    private let now: @Sendable () -> Date

    /// - Parameter retirement: seconds for which a replaced key's record stays.
    public init(store: KeyStore, check: PublicationCheck, retirement: TimeInterval, now: @escaping @Sendable () -> Date = { Date() }) {
        self.store = store
        self.check = check
        self.retirement = retirement
        self.now = now
    }

    /// Makes staged keys, one of each kind.
    /// - Parameters:
    ///   - selector: used as it is for one key, with `-rsa` and `-ed25519` for two; nil makes one of today's date.
    ///   - signsSubdomains: nil leaves the domain's as it is.
    public func create(_ domain: DomainName, _ kinds: [SigningKey.Kind], selector: String?, signsSubdomains: Bool? = nil) throws -> DomainKeys {
        if let keys = try store.load(domain) {
            let living = keys.keys.filter { $0.state == .staged || $0.state == .active }
            if let taken = kinds.first(where: { kind in living.contains { $0.algorithm == kind.algorithm } }) {
                throw Failure.hasKeys(domain, algorithm: taken.algorithm)
            }
        }
        return try stage(domain, kinds, selector: selector, signsSubdomains)
    }

    /// Begins the replacement of the keys that sign by staging new ones; where some are staged already, checks whether
    /// their time has come.
    public func rotate(_ domain: DomainName, selector: String? = nil) async throws -> Report {
        guard let keys = try store.load(domain) else { throw Failure.noKeys(domain) }
        if !keys.keys(in: .staged).isEmpty { return try await check(domain) }
        let signing = Set(keys.keys(in: .active).map(\.algorithm))
        guard !signing.isEmpty else { throw Failure.noKeys(domain) }
        let kinds = SigningKey.Kind.standard.filter { signing.contains($0.algorithm) }
        return Report(keys: try stage(domain, kinds, selector: selector, nil), publications: [:], activated: [])
    }

    /// Looks up every record that must stand, and lets staged keys begin whose record is seen everywhere.
    /// - Parameter activating: false only looks.
    public func check(_ domain: DomainName, activating: Bool = true) async throws -> Report {
        guard let keys = try store.load(domain) else { throw Failure.noKeys(domain) }
        let publications = await publications(of: keys)
        guard activating else { return Report(keys: keys, publications: publications, activated: []) }
        let seen = publications.filter { $0.value.verdict == .published }.map(\.key)
        var activated: [String] = []
        let time = now()
        let (changed, _) = try store.update(domain) { keys in
            // In the order of creation: of two staged keys the later one stays.
            for key in keys.keys where seen.contains(key.selector) {
                if key.state == .staged {
                    // A key that cannot be read must not take over.
                    _ = try store.signingKey(key, of: domain)
                    activated.append(key.selector)
                }
                keys.markPublished(key.selector, at: time, retirement: retirement)
            }
        }
        return Report(keys: changed, publications: publications, activated: activated)
    }

    /// Ends keys and removes their private part.
    /// - Parameters:
    ///   - selector: nil takes all whose date has come.
    ///   - regardless: of the date and of whether it signs; for a compromised key.
    /// - Returns: the domain's keys, and which were retired now.
    public func retire(_ domain: DomainName, selector: String?, regardless: Bool) throws -> (keys: DomainKeys, retired: [StoredKey]) {
        guard try store.load(domain) != nil else { throw Failure.noKeys(domain) }
        let time = now()
        let (keys, names) = try store.update(domain) { keys in
            let names = selector.map { [$0] } ?? keys.due(at: time).map(\.selector)
            guard !names.isEmpty else {
                throw Failure.nothingDue(domain, next: keys.keys(in: .retiring).compactMap(\.keepUntil).min())
            }
            for name in names { try keys.retire(name, at: time, regardless: regardless) }
            return names
        }
        // After the state is on disk: a key file left behind signs nothing, a missing one would stop a reload.
        for name in names { try store.removeKey(domain: domain, selector: name) }
        return (keys, keys.keys.filter { names.contains($0.selector) })
    }

    /// Looks one record up, for a key that is not in the store.
    public func publication(of record: String, at name: DomainName) async -> Publication { await check.run(record, at: name) }

    private func publications(of keys: DomainKeys) async -> [String: Publication] {
        await withTaskGroup(of: (String, Publication).self) { group in
            for key in keys.keys where key.state != .retired {
                guard let name = keys.recordName(key) else { continue }
                let check = check
                group.addTask { (key.selector, await check.run(key.record, at: name)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func stage(_ domain: DomainName, _ kinds: [SigningKey.Kind], selector: String?, _ signsSubdomains: Bool?) throws -> DomainKeys {
        let time = now()
        let taken = Set(try store.load(domain)?.keys.map(\.selector) ?? [])
        let names = SelectorNames.choose(selector, kinds, at: time, taken: taken)
        // Keys are made before the lock is taken: RSA takes its time.
        let made = try zip(kinds, names).map { kind, name in
            let pem = try SigningKey.generate(kind)
            return (pem: pem, key: StoredKey(try SigningKey(pem: pem, domain: domain, selector: name), created: time))
        }
        return try store.update(domain) { keys in
            if let signsSubdomains { keys.signsSubdomains = signsSubdomains }
            for (pem, key) in made {
                try keys.stage(key)
                try store.store(pem: pem, domain: domain, selector: key.selector)
            }
        }.keys
    }
}

extension SigningKey.Kind {
    /// What a domain should have: RSA-2048 that everybody verifies, and Ed25519 beside it (RFC 8301 §3.2, RFC 8463).
    public static let standard: [SigningKey.Kind] = [.rsa2048, .ed25519]

    public var algorithm: String {
        switch self {
        case .rsa2048, .rsa4096: SigningKey.Algorithm.rsaSHA256.rawValue
        case .ed25519: SigningKey.Algorithm.ed25519SHA256.rawValue
        }
    }
}

/// Names for new keys.
enum SelectorNames {
    static func choose(_ wish: String?, _ kinds: [SigningKey.Kind], at date: Date, taken: Set<String>) -> [String] {
        if let wish { return names(wish.lowercased(), kinds, always: false) }
        let day = date.formatted(.iso8601.year().month().day().dateSeparator(.omitted))
        // A second rotation on one day: 20261123b.
        for suffix in [""] + "bcdefghijklmnopqrstuvwxyz".map(String.init) {
            let names = names(day + suffix, kinds, always: true)
            if taken.isDisjoint(with: names) { return names }
        }
        return names(day + "-" + String(UInt32.random(in: 0...UInt32.max), radix: 36), kinds, always: true)
    }

    private static func names(_ base: String, _ kinds: [SigningKey.Kind], always: Bool) -> [String] {
        guard always || kinds.count > 1 else { return [base] }
        return kinds.map { $0 == .ed25519 ? base + "-ed25519" : base + "-rsa" }
    }
}
