import NetworkAddress

/// What can be wrong with a request to the ledger.
public enum TagLedgerError: Error, Sendable, Hashable, CustomStringConvertible {
    case unknownTag(TagAddress)
    case notAnOwner(DomainName, TagAddress)
    case badLabel(String)
    case addressTooLong(String)
    case revokedLabel(String)
    case shortKey(Int)
    case closed
    case cannotOpen(String, String)

    public var description: String {
        switch self {
        case .unknownTag(let tag): "there is no \(tag) in the ledger"
        case .notAnOwner(let domain, let tag): "\(domain) is not an owner of \(tag)"
        case .badLabel(let label): "'\(label)' cannot be minted: a label is 1 to 30 letters, digits and hyphens, beginning with a letter or digit"
        case .addressTooLong(let local): "'\(local)' with its detail would be longer than the 64 octets of a local part (RFC 5321 §4.5.3.1.1): take a shorter label"
        case .revokedLabel(let label): "the tag minted for '\(label)' was revoked: take another label"
        case .shortKey(let count): "a minting key needs at least \(TagMint.keyLength) octets, this one has \(count)"
        case .closed: "the ledger is closed"
        case .cannotOpen(let path, let why): "the tag ledger \(path) cannot be opened: \(why)"
        }
    }
}
