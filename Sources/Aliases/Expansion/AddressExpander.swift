import InternetMessage
import NetworkAddress

/// Follows aliases as Postfix does: virtual aliases for every address (cleanup(8), virtual(5)), then, for addresses of
/// `mydestination`, the alias table (local(8), aliases(5)); what comes out goes through both again.
///
/// An entry that names itself, as `alice: alice, bob@x`, means the mailbox behind it. Asks nobody and reads nothing.
public struct AddressExpander: Sendable {
    public struct Rules: Sendable {
        /// `mydestination`: where the alias table holds.
        public var localDomains: Set<DomainName> = []
        /// The domain of names on the right-hand side of virtual aliases (`myorigin`).
        public var origin: DomainName
        /// `recipient_delimiter`.
        public var delimiters = ""
        /// `propagate_unmatched_extensions`: `user+x` that was found as `user` hands `+x` on to the result.
        public var virtualPropagates = true
        public var aliasPropagates = false
        public var depthLimit = 1000
        public var sizeLimit = 1000

        public init(origin: DomainName) { self.origin = origin }
    }

    public let virtual: VirtualTable
    public let aliases: AliasTable
    public let rules: Rules

    public init(virtual: VirtualTable = VirtualTable(), aliases: AliasTable = AliasTable(), rules: Rules) {
        self.virtual = virtual
        self.aliases = aliases
        self.rules = rules
    }

    public func expand(_ address: EmailAddress) throws(ExpansionError) -> Expansion {
        guard !virtual.isEmpty || !aliases.isEmpty else { return Expansion(targets: [.init(address)], isMapped: false) }
        var walk = ExpansionWalk(expander: self, start: address)
        return try walk.run()
    }

    /// Whether a table has a line for the address itself, or for its name; `@domain` lines do not count.
    public func names(_ address: EmailAddress) -> Bool {
        let folded = address.folded
        if virtual.targets(of: folded) != nil { return true }
        guard isLocal(folded) else { return false }
        return virtual.targets(ofName: folded.localPart) != nil || aliases.targets(of: folded.localPart) != nil
    }

    /// Whether a line takes a whole domain.
    public func takesAll(of domain: EmailAddress.Domain) -> Bool { virtual.targets(ofDomain: domain) != nil }

    // MARK: One look-up

    struct Hit {
        let targets: [AliasTarget]
        /// The delimiter and what follows it, when the line found was that of the address without them.
        var `extension` = ""
        /// For the alias table: the name found.
        var name = ""
    }

    /// virtual(5): user+x@domain, user@domain, user+x, user, @domain.
    func virtualHit(_ address: EmailAddress) -> Hit? {
        let folded = address.folded
        let base = split(folded.localPart)
        if let targets = virtual.targets(of: folded) { return Hit(targets: targets) }
        if let base, let targets = virtual.targets(of: EmailAddress(localPart: base.name, domain: folded.domain)) { return Hit(targets: targets, extension: base.extension) }
        if isLocal(folded) || folded.domainName == rules.origin {
            if let targets = virtual.targets(ofName: folded.localPart) { return Hit(targets: targets) }
            if let base, let targets = virtual.targets(ofName: base.name) { return Hit(targets: targets, extension: base.extension) }
        }
        return virtual.targets(ofDomain: folded.domain).map { Hit(targets: $0) }
    }

    /// local(8): name+x, name.
    func aliasHit(_ local: String) -> Hit? {
        let local = local.lowercased()
        if let targets = aliases.targets(of: local) { return Hit(targets: targets, name: local) }
        guard let base = split(local), let targets = aliases.targets(of: base.name) else { return nil }
        return Hit(targets: targets, extension: base.extension, name: base.name)
    }

    func isLocal(_ address: EmailAddress) -> Bool { address.domainName.map { rules.localDomains.contains($0) } ?? false }

    /// `owner_request_special`: `owner-list` and `list-request` are names, even where `-` is a delimiter.
    private func split(_ local: String) -> (name: String, extension: String)? {
        guard let cut = local.dropFirst().firstIndex(where: { rules.delimiters.contains($0) }) else { return nil }
        if local[cut] == "-", local.hasPrefix("owner-") || local.hasSuffix("-request") { return nil }
        return (String(local[..<cut]), String(local[cut...]))
    }
}
