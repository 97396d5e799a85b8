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

    public init(_ entries: [Entry] = []) {
        self.entries = Dictionary(grouping: entries) { $0.key.domain }
    }

    /// The keys of the nearest domain that has any for it: the domain itself, else the closest parent with `subdomains`.
    public func keys(for from: DomainName) -> [SigningKey] {
        if let exact = entries[from] { return exact.map(\.key) }
        var name = from.parent
        while let parent = name, !parent.isRoot {
            let usable = (entries[parent] ?? []).filter(\.subdomains)
            if !usable.isEmpty { return usable.map(\.key) }
            name = parent.parent
        }
        return []
    }

    /// Every key, in the order of domains and as given within one.
    public var all: [SigningKey] { entries.sorted { $0.key < $1.key }.flatMap { $0.value.map(\.key) } }
}
