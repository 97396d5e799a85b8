import Foundation
import InternetMessage
import Milter

/// What happens between the last octet of a message and the reply: put it together, stamp it, ask the filters, hand it on.
/// Runs on the blocking pool.
struct MessageJudgement: Sendable {
    let environment: SessionEnvironment
    let content: IncomingContent
    let isExtended: Bool
    let isSMTPUTF8: Bool

    /// - Returns: the reply to the client.
    func run(_ state: inout FilterState) async -> SMTPReply {
        guard var transaction = state.transaction else { return SMTPReply(451, "4.3.0", "Error: internal error") }
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
        let reply = await environment.sink.take(transaction)
        return done(transaction, reply, reply.isPositive ? "accepted" : "not taken")
    }

    private func stamped(_ transaction: Transaction) throws -> Message {
        var message = try content.finish()
        let now = Int64(Date().timeIntervalSince1970)
        if transaction.connection.isOriginating {
            SubmittedHeader.complete(&message.header, id: transaction.id, hostname: environment.configuration.hostname.text, time: now)
        }
        let received = ReceivedHeader(
            connection: transaction.connection, helo: transaction.helo, isExtended: isExtended, isSMTPUTF8: isSMTPUTF8,
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
