import NetworkAddress

/// Which keys sign for which From domain.
///
/// A key only ever signs for its own domain or, where that is allowed, for domains below it, so that every signature
/// made here aligns with From in DMARC's sense.
public struct KeyTable: Sendable {
    public struct Entry: Sendable {
        public let key: SigningKey
        /// Whether the key also signs for From domains below its own (which align in DMARC's relaxed mode only).
        public let subdomains: Bool

        public init(_ key: SigningKey, subdomains: Bool = false) {
            self.key = key
            self.subdomains = subdomains
        }
    }

    private let entries: [DomainName: [Entry]]
    private let hostName: DomainName?

    /// - Parameters:
    ///   - entries: of several with one domain and selector the first counts.
    ///   - hostName: the gateway's own name. Mail in this name (bounces, a cron job's) is signed by the nearest domain
    ///     above that has keys, `subdomains` or not: whoever has `mail.example.org` sign as `example.org` expects its
    ///     bounces signed too, RFC 6376 §3.11 lets a domain sign for those below it, and it aligns (RFC 9989 §4.4).
    public init(_ entries: [Entry] = [], hostName: DomainName? = nil) {
        var seen: Set<String> = []
        let distinct = entries.filter { seen.insert($0.key.selector.lowercased() + "@" + $0.key.domain.text).inserted }
        self.entries = Dictionary(grouping: distinct) { $0.key.domain }
        self.hostName = hostName
    }

    /// The keys of the nearest domain that has any for it: the domain itself, else the closest parent with `subdomains`.
    public func keys(for from: DomainName) -> [SigningKey] {
        if let exact = entries[from] { return exact.map(\.key) }
        let isOwnHost = from == hostName
        var name = from.parent
        while let parent = name, !parent.isRoot {
            let usable = (entries[parent] ?? []).filter { $0.subdomains || isOwnHost }
            if !usable.isEmpty { return usable.map(\.key) }
            name = parent.parent
        }
        return []
    }

    public var isEmpty: Bool { entries.isEmpty }

    /// Every key, in the order of domains and as given within one.
    public var all: [SigningKey] { entries.sorted { $0.key < $1.key }.flatMap { $0.value.map(\.key) } }
}
