import InternetMessage
import NetworkAddress

/// The Author Domains of a message (RFC 9989 §5.3.1).
struct FromDomains {
    /// Distinct, in order of appearance, U-labels as A-labels.
    let domains: [DomainName]
    /// Why the message is no ground for alignment (§4.4), though domains may have been found; nil when it is sound.
    let defect: String?

    /// - Parameter fields: the message's header fields; only those named From count.
    init(_ fields: [HeaderField]) {
        let fields = fields.filter { $0.isNamed("From") }
        let lists = fields.map { AddressList.parse($0.rawValue) }
        let mailboxes = lists.flatMap(\.mailboxes)
        var domains: [DomainName] = []
        var unusable: String?
        for mailbox in mailboxes {
            guard let domain = Self.name(mailbox.domain) else {
                unusable = unusable ?? mailbox.domain
                continue
            }
            if !domains.contains(domain) { domains.append(domain) }
        }
        self.domains = domains
        defect = Self.defect(fieldCount: fields.count, mailboxCount: mailboxes.count, unusable: unusable,
                             isWellFormed: lists.allSatisfy(\.isWellFormed))
    }

    private static func defect(fieldCount: Int, mailboxCount: Int, unusable: String?, isWellFormed: Bool) -> String? {
        if fieldCount == 0 { return "the message has no From field" }
        if fieldCount > 1 { return "the message has \(fieldCount) From fields" }
        if mailboxCount == 0 { return "the From field names no address" }
        if let unusable { return "the From field has an address whose domain '\(printable(unusable))' is not a domain name" }
        return isWellFormed ? nil : "the From field is malformed"
    }

    /// Domain names only: a literal, and what looks like an address, belongs to nobody.
    private static func name(_ text: String) -> DomainName? {
        guard !text.isEmpty, !text.hasPrefix("["), IPAddress(text) == nil, let name = DomainName(text), !name.isRoot else { return nil }
        return name
    }

    private static func printable(_ text: String) -> String {
        String(decoding: text.utf8.prefix(100).map { (32...126).contains($0) ? $0 : 63 }, as: UTF8.self)
    }
}
