import InternetMessage
import NetworkAddress

/// A question whose answer costs I/O, depends on the clock, or leaves something behind (a counter, a greylist row).
///
/// Evaluation never asks it itself: it stops with ``PolicyStep/needs(_:)`` and goes on when the answer is among the
/// ``PolicyLookups``. So evaluation stays pure, and a recorded message can be judged again with no DNS and no trace.
public enum PolicyQuery: Sendable, Hashable {
    /// How heavily a set of DNS lists lists an `.ip` or a `.domain`: a number.
    case blocklist(BlocklistSet, PolicyValue)
    /// Whether a sender's domain takes mail: a word, see ``PolicyFact/senderMX``.
    case mailExchange(DomainName)
    /// Whether an account may write as an address: a flag.
    case mayWrite(account: String, as: EmailAddress)
    /// Counts an event and says how many there were in the window, this one included: a number.
    case rate(RateEvent)
    /// Remembers a first attempt and says what is to be made of this one: a number of seconds to wait, 0 for none.
    case greylist(GreylistAttempt)
    /// The message's attachments, see ``AttachmentListing``.
    case attachments
    /// Seconds since the Date field: a number.
    case messageAge

    /// What the answer is kept under. The same question has the same text in every version of the rules, whatever
    /// limits, weights and delays they set.
    public var text: String {
        switch self {
        case .blocklist(let set, let subject): "dnsbl \"\(set.name)\" \(subject)"
        case .mailExchange(let domain): "mx \(domain)"
        case .mayWrite(let account, let address): "account \(account) as \(address.folded)"
        case .rate(let event): event.text
        case .greylist(let attempt): attempt.text
        case .attachments: "attachments"
        case .messageAge: "message.age"
        }
    }
}

/// One event of a counter, `rate(client.ip, 1h)`.
public struct RateEvent: Sendable, Hashable {
    /// What is counted: connections at `connect`, messages at `mail`, recipients at `rcpt`.
    public let stage: PolicyStage
    /// The names and what they stand for now: `client.ip=192.0.2.1`; an IPv6 client counts as its /64.
    public let key: String
    /// Seconds.
    public let window: Int
    /// Whether the count must outlive a restart: it is an account's.
    public let isOfAccount: Bool
    /// At `rcpt` the recipient, so that each is an event of its own.
    public let occasion: String?

    /// The counter that it belongs to.
    public var counter: String { "\(stage.rawValue) \(key) \(window)s" }
    var text: String { "rate \(counter)" + (occasion.map { " for \($0)" } ?? "") }
}

/// One attempt to deliver to one recipient.
public struct GreylistAttempt: Sendable, Hashable {
    public let terms: GreylistTerms
    public let client: IPAddress
    /// nil: the null sender.
    public let sender: EmailAddress?
    public let recipient: EmailAddress

    /// The network that counts as one client: servers of one farm take turns.
    public var network: String { client.policyNetwork(v4: 24) }
    var text: String { "greylist \(network) from <\(sender?.folded.description ?? "")> to <\(recipient.folded)>" }
}

/// How long the action `greylist` lets a stranger wait. In seconds.
public struct GreylistTerms: Sendable, Hashable {
    /// The first attempt must be this old.
    public var delay = 300
    /// A retry after this long is a first attempt again.
    public var retryWithin = 2 * 86_400
    /// What passed is known for this long after its last use.
    public var keep = 35 * 86_400
    /// After this many deliveries the client's network waits no more; 0: never.
    public var trustAfter = 5

    public init() {}
}

extension IPAddress {
    /// The network by which a client is told from others: an IPv6 customer has a /64.
    func policyNetwork(v4 length: Int) -> String {
        let plain = unmapped
        let network = IPNetwork(plain, prefixLength: plain.family == .v4 ? length : 64)?.canonical
        return network?.description ?? plain.description
    }
}
