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
        guard let before = state.transaction else { return .reply(Self.internalError) }
        var received = before
        if let ended = await filter(&state, &received) {
            tell(state, received, ended)
            return .reply(ended.reply)
        }
        guard var transaction = state.transaction else { return .reply(Self.internalError) }
        let accepted = state.accepted
        let replies = speaks == .lmtp ? await deliverEach(&transaction, accepted: accepted) : [await deliver(&transaction)]
        state.transaction = transaction
        let refusal = replies.allSatisfy { !$0.isPositive } ? replies.last : nil
        tell(state, received, Ended(reply: refusal ?? replies.last { $0.isPositive } ?? Self.internalError, outcome: refusal == nil ? .accepted : .refused))
        return speaks == .lmtp ? .replies(replies) : .reply(replies.first ?? Self.internalError)
    }

    private static let internalError = SMTPReply(451, "4.3.0", "Error: internal error")

    /// A message that came to its end, and what its client hears.
    private struct Ended {
        enum Outcome { case accepted, refused, discarded }
        let reply: SMTPReply
        let outcome: Outcome
        var filter: String?
        var stage: MilterStage?
    }

    /// For the message's record.
    private func tell(_ state: FilterState, _ received: Transaction, _ ended: Ended) {
        guard let observer = environment.observer else { return }
        let outcome: TransactionEnd.Outcome = switch ended.outcome {
        case .accepted: .accepted(ended.reply)
        case .refused: .refused(ended.reply)
        case .discarded: .discarded
        }
        if let end = state.end(outcome, received: received, stage: ended.stage, filter: ended.filter) { observer.ended(end) }
    }

    private func deliver(_ transaction: inout Transaction) async -> SMTPReply {
        let reply = await environment.sink.take(&transaction)
        return done(transaction, reply, reply.isPositive ? "accepted" : "not taken")
    }

    /// RFC 2033 §4.2: a reply for each accepted RCPT. One whose recipient a filter took away is a success, as in SMTP.
    private func deliverEach(_ transaction: inout Transaction, accepted: [EmailAddress]) async -> [SMTPReply] {
        let id = transaction.id
        let replies = await environment.sink.takeEach(&transaction)
        let byAddress = Dictionary(zip(transaction.recipients.map(\.address), replies), uniquingKeysWith: { first, _ in first })
        for (address, reply) in zip(transaction.recipients.map(\.address), replies) {
            _ = done(transaction, reply, reply.isPositive ? "delivered to \(address)" : "not delivered to \(address)")
        }
        return accepted.map { byAddress[$0] ?? .queued(as: id) }
    }

    /// - Parameter received: the message as it came is put there.
    /// - Returns: the end of the message when this is it; nil when it is to be taken.
    private func filter(_ state: inout FilterState, _ received: inout Transaction) async -> Ended? {
        if state.isDiscarding {
            await state.chain.abort()
            return discarded(received, filter: state.refusedBy?.filter, stage: state.refusedBy?.stage)
        }
        await state.settleName()
        await state.payMail()
        received = state.transaction ?? received
        do {
            received.receive(try stamped(received))
        } catch {
            environment.logger.error("message cannot be read back: \(error)", metadata: ["id": "\(received.id)"])
            return await refused(state, received, SMTPReply(452, "4.3.1", "Insufficient system storage"), "spool failure")
        }
        state.transaction = received
        guard received.message.header.count(of: "Received") <= environment.configuration.hopLimit else {
            return await refused(state, received, SMTPReply(554, "5.4.6", "Error: too many hops"), "loop")
        }
        return await ask(&state, received)
    }

    private func ask(_ state: inout FilterState, _ received: Transaction) async -> Ended? {
        var transaction = received
        var filter: String?
        if state.stages.contains(.endOfMessage) {
            let verdict = await state.chain.endOfMessage(&transaction)
            filter = verdict.filter
            state.transaction = transaction
            if let reply = state.refusal(verdict, at: .endOfMessage)?.naming(transaction.id) {
                return Ended(reply: done(transaction, reply, "refused by \(filter ?? "a filter")"), outcome: .refused, filter: filter, stage: .endOfMessage)
            }
        }
        // A filter that took every recipient away wants it nowhere; Postfix treats it so too.
        guard state.isDiscarding || transaction.recipients.isEmpty else { return nil }
        return discarded(transaction, filter: filter, stage: .endOfMessage)
    }

    private func refused(_ state: FilterState, _ transaction: Transaction, _ reply: SMTPReply, _ outcome: String) async -> Ended {
        await state.chain.abort()
        return Ended(reply: done(transaction, reply.naming(transaction.id), outcome), outcome: .refused)
    }

    private func discarded(_ transaction: Transaction, filter: String?, stage: MilterStage?) -> Ended {
        Ended(reply: done(transaction, .queued(as: transaction.id), "discarded"), outcome: .discarded, filter: filter, stage: stage)
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
        // The line of a message is its observer's; this is for a server without one.
        environment.logger.log(level: environment.observer == nil ? .info : .debug, "\(outcome): \(reply)", metadata: [
            "id": "\(transaction.id)", "sender": "\(transaction.sender.address?.description ?? "<>")", "recipients": "\(transaction.recipients.count)",
            "client": "\(transaction.connection.clientAddress?.description ?? "local")", "size": "\(transaction.message.byteCount)",
        ])
        return reply
    }
}
