import Foundation
import InternetMessage
import Milter
import SMTPCore

/// What happens between the last octet of a message and the reply: put it together, stamp it, ask the filters, hand it on.
/// Runs on the blocking pool.
struct MessageJudgement: Sendable {
    let environment: SessionEnvironment
    let content: IncomingContent
    let speaks: ServerProtocol
    let isExtended: Bool
    let isSMTPUTF8: Bool

    /// - Returns: what the client is to hear.
    func run(_ state: inout FilterState) async -> ServerAnswer {
        if let refused = await filter(&state) { return .reply(refused) }
        guard let transaction = state.transaction else { return .reply(Self.internalError) }
        guard speaks == .lmtp else {
            let reply = await environment.sink.take(transaction)
            return .reply(done(transaction, reply, reply.isPositive ? "accepted" : "not taken"))
        }
        return .replies(await deliverEach(transaction, accepted: state.accepted))
    }

    private static let internalError = SMTPReply(451, "4.3.0", "Error: internal error")

    /// RFC 2033 §4.2: a reply for each accepted RCPT. One whose recipient a filter took away is a success, as in SMTP.
    private func deliverEach(_ transaction: Transaction, accepted: [EmailAddress]) async -> [SMTPReply] {
        let replies = await environment.sink.takeEach(transaction)
        let byAddress = Dictionary(zip(transaction.recipients.map(\.address), replies), uniquingKeysWith: { first, _ in first })
        for (address, reply) in zip(transaction.recipients.map(\.address), replies) {
            _ = done(transaction, reply, reply.isPositive ? "delivered to \(address)" : "not delivered to \(address)")
        }
        return accepted.map { byAddress[$0] ?? .queued(as: transaction.id) }
    }

    /// - Returns: the reply when the message ends here; nil when it is to be taken.
    private func filter(_ state: inout FilterState) async -> SMTPReply? {
        guard var transaction = state.transaction else { return Self.internalError }
        if state.isDiscarding {
            await state.chain.abort()
            return done(transaction, .queued(as: transaction.id), "discarded")
        }
        await state.settleName()
        await state.payMail()
        transaction = state.transaction ?? transaction
        do {
            transaction.receive(try stamped(transaction))
        } catch {
            environment.logger.error("message cannot be read back: \(error)", metadata: ["id": "\(transaction.id)"])
            await state.chain.abort()
            return done(transaction, SMTPReply(452, "4.3.1", "Insufficient system storage"), "spool failure")
        }
        guard transaction.message.header.count(of: "Received") <= environment.configuration.hopLimit else {
            await state.chain.abort()
            return done(transaction, SMTPReply(554, "5.4.6", "Error: too many hops"), "loop")
        }
        if state.stages.contains(.endOfMessage) {
            let verdict = await state.chain.endOfMessage(&transaction)
            if let reply = state.refusal(verdict) {
                state.transaction = transaction
                return done(transaction, reply, "refused by \(verdict.filter ?? "a filter")")
            }
        }
        state.transaction = transaction
        // A filter that took every recipient away wants it nowhere; Postfix treats it so too.
        if state.isDiscarding || transaction.recipients.isEmpty { return done(transaction, .queued(as: transaction.id), "discarded") }
        return nil
    }

    private func stamped(_ transaction: Transaction) throws -> Message {
        var message = try content.finish()
        let now = Int64(Date().timeIntervalSince1970)
        if transaction.connection.isOriginating {
            SubmittedHeader.complete(&message.header, id: transaction.id, hostname: environment.configuration.hostname.text, time: now)
        }
        let received = ReceivedHeader(
            connection: transaction.connection, helo: transaction.helo, speaks: speaks, isExtended: isExtended, isSMTPUTF8: isSMTPUTF8,
            hostname: environment.configuration.hostname.text, id: transaction.id, recipients: transaction.recipients,
            hideUser: environment.configuration.hideAuthenticatedUser, time: now)
        message.header.fields.insert(received.field, at: 0)
        return message
    }

    private func done(_ transaction: Transaction, _ reply: SMTPReply, _ outcome: String) -> SMTPReply {
        environment.logger.info("\(outcome): \(reply)", metadata: [
            "id": "\(transaction.id)", "from": "\(transaction.sender.address?.description ?? "<>")", "recipients": "\(transaction.recipients.count)",
            "client": "\(transaction.connection.clientAddress?.description ?? "local")", "size": "\(transaction.message.byteCount)",
        ])
        return reply
    }
}
