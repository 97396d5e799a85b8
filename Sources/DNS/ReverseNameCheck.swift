import NetworkAddress

/// Whether a client's address has a name that leads back to it: `iprev` (RFC 8601 §3 and §2.7.3).
public struct ReverseNameCheck: Sendable, Hashable {
    /// RFC 8601 §2.7.3.
    public enum Verdict: String, Sendable, Hashable {
        case pass
        /// There are names, and none of them leads back.
        case fail
        case temperror
        /// The address has no name.
        case permerror
    }

    public let address: IPAddress
    public let verdict: Verdict
    /// The name that leads back; for `fail` the first that does not, which nobody may believe.
    public let name: DomainName?
    /// In plain words.
    public let reason: String

    public init(address: IPAddress, verdict: Verdict, name: DomainName?, reason: String) {
        self.address = address
        self.verdict = verdict
        self.name = name
        self.reason = reason
    }

    /// The client's name that may be believed, or nil.
    public var verifiedName: String? { verdict == .pass ? name?.text : nil }

    /// Names of one address that are tried: RFC 8601 §3 leaves the number to us.
    private static let limit = 4

    /// Asks for the names of an address, then for the addresses of those.
    public static func run(_ address: IPAddress, _ resolver: any Resolver) async -> ReverseNameCheck {
        let address = address.unmapped
        func result(_ verdict: Verdict, _ reason: String, _ name: DomainName? = nil) -> ReverseNameCheck {
            ReverseNameCheck(address: address, verdict: verdict, name: name, reason: reason)
        }
        guard let reverse = DomainName(address.reverseName) else { return result(.permerror, "\(address) has no reverse name") }
        let answer = await resolver.lookup(PTRRecord.self, at: reverse)
        if let failure = answer.failure { return result(.temperror, "\(reverse) PTR: \(failure)") }
        let names = answer.records.map(\.name).filter(\.isHostName)
        guard let first = names.first else { return result(.permerror, "\(address) has no PTR record with a host name") }
        var failure: String?
        for name in names.prefix(limit) {
            let (addresses, why) = await forward(name, address.family, resolver)
            if addresses.contains(address) { return result(.pass, "\(address) is \(name)", name) }
            failure = failure ?? why.map { "\(name): \($0)" }
        }
        // A name that could not be asked about might have been the one.
        if let failure { return result(.temperror, failure) }
        return result(.fail, "\(first) does not lead back to \(address)", first)
    }

    private static func forward(_ name: DomainName, _ family: IPAddress.Family, _ resolver: any Resolver) async -> ([IPAddress], String?) {
        guard family == .v4 else {
            let answer = await resolver.lookup(AAAARecord.self, at: name)
            return (answer.records.map(\.address), answer.failure)
        }
        let answer = await resolver.lookup(ARecord.self, at: name)
        return (answer.records.map(\.address), answer.failure)
    }
}
