import DKIM
import InternetMessage
import Milter
import NetworkAddress
import Policy

/// What the rules may ask, answered from the transaction and what earlier filters found in it.
struct TransactionFacts: PolicyFacts {
    let connection: ConnectionFacts
    let helo: String?
    let transaction: Transaction?
    /// The recipient that is asked about, at `rcpt`.
    let recipient: EnvelopeRecipient?
    let house: PolicyHouse
    /// Rules ask for it in several forms.
    private let author: EmailAddress?

    init(_ connection: ConnectionFacts, helo: String? = nil, house: PolicyHouse) {
        self.connection = connection
        self.helo = helo
        transaction = nil
        recipient = nil
        author = nil
        self.house = house
    }

    init(_ transaction: Transaction, recipient: EnvelopeRecipient? = nil, house: PolicyHouse) {
        connection = transaction.connection
        helo = transaction.helo
        self.transaction = transaction
        self.recipient = recipient
        author = Author.only(in: transaction.message.header)
        self.house = house
    }

    func value(of fact: PolicyFact) -> PolicyValue? {
        switch fact {
        case .clientIP: connection.clientAddress.map { .ip($0) }
        case .clientName: connection.clientName.flatMap { DomainName($0) }.map { .domain($0) }
        case .clientOwn: .flag(connection.isOwnNetwork)
        case .listener: .word(connection.listener)
        case .tlsCipher: connection.tls.map { .text($0.cipher) }
        case .helo: helo.map { .text($0) }
        case .tlsVersion: connection.tls.map { .word($0.version) }
        case .account: connection.authenticatedUser.map { .text($0) }
        case .sender: transaction?.sender.address.map { .address($0) }
        case .senderDomain: transaction?.sender.address?.domainName.map { .domain($0) }
        case .senderOwn: isOurs(transaction?.sender.address)
        case .size: size.map { .number($0) }
        case .recipient: recipient.map { .address($0.address) }
        case .recipientDomain: recipient?.address.domainName.map { .domain($0) }
        case .recipientDetail: recipient?.original.splittingDetail(delimiters: house.delimiters).detail.map { .text($0) }
        case .recipients: transaction.map { .list($0.recipients.map { .address($0.address) }) }
        case .recipientsCount: transaction.map { .number($0.recipients.count) }
        case .tagStatus: tagStatus.map { .word($0) }
        case .spfResult: transaction?[SPFKey.self]?.mailFrom.map { .word($0.verdict.rawValue) }
        case .dkimDomains: transaction?[DKIMKey.self].map { .list(passing($0).map { .domain($0) }) }
        case .dmarcResult: transaction?[DMARCKey.self].map { .word($0.verdict.rawValue) }
        case .dmarcPolicy: transaction?[DMARCKey.self]?.policy.map { .word($0.applied.rawValue) }
        case .from: author.map { .address($0) }
        case .fromDomain: author?.domainName.map { .domain($0) }
        case .fromOwn: isOurs(author)
        case .fromConfusable: author?.domainName.map { .flag($0.isConfusable) }
        // These are looked up.
        case .senderMX, .senderAllowed, .messageAge, .attachmentsName, .attachmentsType, .attachmentsEncrypted, .attachmentsUnreadable: nil
        }
    }

    /// Encoded words are decoded, as RFC 5228 §2.7.2 has it for tests of headers: rules speak of what a reader sees.
    func headers(named name: String) -> [String] { transaction?.message.header.all(name).map(\.decodedValue) ?? [] }

    /// The declared size until the message is here.
    private var size: Int? {
        guard let transaction else { return nil }
        guard transaction.message.header.fields.isEmpty else { return transaction.message.byteCount }
        return transaction.sender.parameters["SIZE"].flatMap { Int($0) }
    }

    /// One of our addresses, used by a client that is none of ours.
    private func isOurs(_ address: EmailAddress?) -> PolicyValue? {
        address.map { .flag(!connection.isOriginating && house.isOurs($0)) }
    }

    private var tagStatus: String? {
        guard recipient == nil else { return transaction?[RecipientTagKey.self]?.rawValue }
        return transaction?[TagKey.self]?.map(\.verdict.status).max { $0.severity < $1.severity }?.rawValue
    }

    private func passing(_ signatures: [DKIMSignatureResult]) -> [DomainName] {
        signatures.filter { $0.verdict == .pass }.compactMap(\.domain)
    }
}

/// The one who wrote a message.
enum Author {
    /// The only address of the only From field; nil when there is none or more than one (RFC 5322 §3.6.2 lets several
    /// write; then no domain answers for the message).
    static func only(in header: MessageHeader) -> EmailAddress? {
        let fields = header.all("From")
        guard fields.count == 1, let field = fields.first else { return nil }
        let mailboxes = AddressList.parse(field.rawValue).mailboxes
        return mailboxes.count == 1 ? mailboxes.first?.address : nil
    }
}
