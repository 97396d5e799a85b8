// Example: Milter
import InternetMessage
import Milter
import NetworkAddress

/// A filter: it names the number of recipients in a header field. One session a connection, one method a stage.
struct CountingFilter: MailFilter, FilterSession {
    let name = "counting"
    let stages: Set<MilterStage> = [.rcpt, .endOfMessage]
    func makeSession() -> any FilterSession { self }

    func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> FilterAnswer {
        transaction.recipients.count < 100 ? .continue : .tempfail(SMTPReply(452, "4.5.3", "Too many recipients"))
    }

    func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        transaction.apply(.addHeader(HeaderField(name: "X-Recipients", value: "\(transaction.recipients.count)")))
        return .continue
    }
}

/// Drives a chain of filters as a server does.
func filtered(_ text: String, to addresses: [String]) async -> Message {
    var session = FilterChain([CountingFilter()]).makeSession()
    var transaction = Transaction(id: "1", connection: ConnectionFacts(listener: "smtp"))
    _ = await session.mail(&transaction)
    for recipient in addresses.compactMap({ EmailAddress($0) }).map({ EnvelopeRecipient($0) }) {
        if await !session.rcpt(recipient, &transaction).answer.isNegative { transaction.recipients.append(recipient) }
    }
    transaction.receive(Message(parsing: Array(text.utf8)))
    _ = await session.endOfMessage(&transaction)
    return transaction.message
}
