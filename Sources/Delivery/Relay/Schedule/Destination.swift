import SMTPClient

/// Where a job goes: what is limited separately.
enum Destination: Sendable, Hashable, CustomStringConvertible {
    case local
    case remote(NextHop)

    var description: String { switch self { case .local: "local"; case .remote(let hop): hop.description } }
}

/// One message's recipients for one transaction.
struct DeliveryJob: Sendable, Hashable {
    let id: String
    let destination: Destination
    /// Indexes into the envelope.
    let recipients: [Int]
}

/// One message's recipients in one domain: what waits for its turn.
struct Errand: Sendable, Hashable {
    let id: String
    /// Whose turn it takes; ``MailQueue``'s flow.
    let sender: String
    let destination: Destination
    /// ``MailQueue/localDomain`` for copies that stay here.
    let domain: String
    /// Tried whatever its time.
    var isForced = false
}
