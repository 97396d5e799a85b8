import NetworkAddress

/// Who a message is from, as far as that is proven: organisational domains only (RFC 9989 §4.10), which the caller finds.
public struct SenderIdentity: Sendable, Hashable {
    /// By what a domain was authenticated, strongest first: DMARC's pass for the From domain, a passing DKIM signature's
    /// d=, an SPF pass of MAIL FROM.
    public enum Method: String, Sendable, Hashable, CaseIterable {
        case dmarc, dkim, spf
    }

    /// Signs in a message that another than its author handed it on.
    public enum Passage: Sendable, Hashable {
        /// A mailbox that sends its mail on: it knows the address, the author may not.
        case forwarder
        /// A mailing list, and the domain that its List-Id and List-Post name.
        case list(DomainName?)
    }

    /// A domain, and what proved it.
    struct Party: Sendable, Hashable {
        let domain: DomainName
        let method: Method
    }

    /// The From domain, where it is proven: by DMARC, or by a signature or an SPF pass that is aligned with it.
    private(set) var author: Party?
    /// Every other domain that was authenticated: signers, then the envelope sender's.
    private(set) var others: [Party] = []
    /// The domain that From names, proven or not.
    public var claimedAuthor: DomainName?
    public var passage: Passage?

    /// Nothing is proven.
    public init() {}

    public init(_ domain: DomainName, by method: Method) { add(domain, by: method) }

    /// Notes the proven From domain.
    public mutating func setAuthor(_ domain: DomainName, by method: Method) {
        guard !domain.isRoot, author == nil else { return }
        author = Party(domain: domain, method: method)
    }

    /// Notes a domain. DMARC proves authors only. Of one method's domains the one to believe first is added first: it
    /// becomes the owner of a new tag.
    public mutating func add(_ domain: DomainName, by method: Method) {
        guard method != .dmarc else { return setAuthor(domain, by: .dmarc) }
        guard !domain.isRoot, !others.contains(where: { $0.domain == domain && $0.method == method }) else { return }
        let party = Party(domain: domain, method: method)
        others.insert(party, at: method == .dkim ? others.firstIndex { $0.method == .spf } ?? others.endIndex : others.endIndex)
    }

    /// Everybody who was authenticated, the strongest first.
    var everybody: [Party] { (author.map { [$0] } ?? []) + others }

    /// Who speaks for a message that came straight from its sender: the author alone, else the signers, else the envelope
    /// sender.
    ///
    /// Weaker ones have no say: a mailing service signs for all its customers beside them, and where the customer is
    /// proven the service's own signature must not make a stranger an owner.
    var speakers: [Party] {
        if let author { return [author] }
        let signers = others.filter { $0.method == .dkim }
        return signers.isEmpty ? others : signers
    }
}
