import Foundation
import InternetMessage
import NetworkAddress
import Tags

extension AddressBook {
    /// The tag in an address of ours, or nil. Delimiter and case are folded away, so that `Alice-Shop@` and
    /// `alice+shop@` are one tag when both delimiters are configured.
    ///
    /// An account's or alias's address with something behind the delimiter has that as its tag; an address that only a
    /// catch-all takes is wholly a tag, of `*@domain`.
    func tag(in address: EmailAddress) -> TagAddress? {
        guard isLocal(address) else { return nil }
        let (base, detail) = address.splittingDetail(delimiters: delimiters)
        switch try? owner(of: address) {
        case .account(_, let base, let detail?): return detail.isEmpty ? nil : TagAddress(base: base.folded, detail: detail)
        case .nobody: break
        default: return nil
        }
        guard let tables, let domain = address.domainName, tables.srs?.concerns(address) != true else { return nil }
        if tables.expander.names(address) { return nil }
        if let detail, tables.expander.names(base) { return detail.isEmpty ? nil : TagAddress(base: base, detail: detail) }
        guard tables.catchAll[domain] != nil || tables.expander.takesAll(of: address.domain) else { return nil }
        return TagAddress(localPart: address.localPart, inCatchAll: domain)
    }
}
