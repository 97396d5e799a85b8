import DKIM
import DMARC
import Foundation
import InternetMessage
import Milter
import NetworkAddress
import SPF
import Tags

/// Whose word stands for the sender, as organisational domains (RFC 9989 §4.10): contrib/docs/tags.md has the table.
enum SenderIdentities {
    static func find(in transaction: Transaction, dmarc: DMARCEvaluator) async -> SenderIdentity {
        var domains = Organizations(dmarc)
        var identity = SenderIdentity()
        let header = transaction.message.header
        let result = transaction[DMARCKey.self]
        if let from = result?.fromDomain ?? Author.only(in: header)?.domainName { identity.claimedAuthor = await domains.of(from) }
        if let result, result.verdict == .pass, let author = identity.claimedAuthor { identity.setAuthor(author, by: .dmarc) }
        for signature in transaction[DKIMKey.self] ?? [] where signature.countsForDMARC {
            if let domain = signature.domain { note(await domains.of(domain), .dkim, in: &identity) }
        }
        if let spf = transaction[SPFKey.self]?.mailFrom, spf.verdict == .pass, let domain = spf.domain { note(await domains.of(domain), .spf, in: &identity) }
        if let passage = Passages.find(in: header, sender: transaction.sender.address) { identity.passage = await domains.of(passage) }
        return identity
    }

    /// A domain that is aligned with From proves the author, whether or not its owner publishes a DMARC record.
    private static func note(_ domain: DomainName, _ method: SenderIdentity.Method, in identity: inout SenderIdentity) {
        if domain == identity.claimedAuthor { identity.setAuthor(domain, by: method) } else { identity.add(domain, by: method) }
    }

    /// Organisational domains, each looked up once in a message.
    private struct Organizations {
        private let dmarc: DMARCEvaluator
        private var known: [DomainName: DomainName] = [:]

        init(_ dmarc: DMARCEvaluator) { self.dmarc = dmarc }

        mutating func of(_ domain: DomainName) async -> DomainName {
            if let found = known[domain] { return found }
            let found = await dmarc.organizationalDomain(of: domain) ?? domain
            known[domain] = found
            return found
        }

        mutating func of(_ passage: SenderIdentity.Passage) async -> SenderIdentity.Passage {
            guard case .list(let list?) = passage else { return passage }
            return .list(await of(list))
        }
    }
}

/// Signs that somebody handed a message on. A stranger can forge them and then is not called a leak; he could as well
/// have left his mail unauthenticated, so nothing is lost by believing them.
enum Passages {
    static func find(in header: MessageHeader, sender: EmailAddress?) -> SenderIdentity.Passage? {
        if let list = discussionList(header) { return list }
        let isForwarded = sender.map(isRewritten) == true || forwarderFields.contains { header.first($0) != nil }
        return isForwarded ? .forwarder : nil
    }

    /// Put there by those who send a mailbox's mail on: RFC 5322 §3.6.6, and what local deliveries leave (Postfix, qmail,
    /// Gmail). ARC is none of them: large senders seal what they send themselves.
    private static let forwarderFields = ["Resent-From", "Resent-Sender", "Resent-To", "Delivered-To", "X-Forwarded-To", "X-Forwarded-For"]

    /// Envelope senders that forwarders write: SRS in its usual spellings, and Gmail's.
    private static func isRewritten(_ sender: EmailAddress) -> Bool {
        let local = sender.localPart.lowercased()
        return ["srs0=", "srs0+", "srs0-", "srs1=", "srs1+", "srs1-"].contains { local.hasPrefix($0) } || local.contains("+srs=") || local.contains("+caf_=")
    }

    /// A list that people write to: it has a name (RFC 2919) and an address to post to (RFC 2369 §3.4). A shop's
    /// newsletter has a List-Id too, and nothing or `NO` for the other.
    private static func discussionList(_ header: MessageHeader) -> SenderIdentity.Passage? {
        guard let name = header.first("List-Id")?.value, let post = header.first("List-Post")?.value,
            let address = mailto(post), let domain = address.domainName else { return nil }
        let identifier = name.split(separator: "<").last?.split(separator: ">").first.map(String.init) ?? ""
        // The list speaks for itself where both name one place: `<talk.lists.example>` and talk@lists.example.
        let isOne = identifier.lowercased().hasSuffix("." + domain.text) || DomainName(identifier) == domain
        return .list(isOne ? domain : nil)
    }

    private static func mailto(_ value: String) -> EmailAddress? {
        guard let start = value.range(of: "<mailto:", options: .caseInsensitive) else { return nil }
        return EmailAddress(value[start.upperBound...].prefix { $0 != ">" && $0 != "?" })
    }
}
