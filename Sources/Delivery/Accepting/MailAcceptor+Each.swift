import Foundation
import InternetMessage
import MailQueue
import MailStore

extension MailAcceptor {
    /// Takes a message by recipient, for LMTP (RFC 2033 §4.2): each local copy is stored, durably, or its client keeps it.
    /// Unlike ``accept(_:)`` nothing that could not be stored is queued here: the client has a queue, and knows each
    /// recipient's fate. Recipients elsewhere, which only a filter can have added, are queued one by one.
    /// - Returns: a reply for each of the submission's recipients, in their order.
    public func acceptEach(_ submission: Submission) async -> [SMTPReply] { await acceptEachNoting(submission).replies }

    /// The same, with where the copies went.
    public func acceptEachNoting(_ submission: Submission) async -> (replies: [SMTPReply], accepted: Accepted) {
        let hops = submission.message.header.count(of: "Received")
        guard hops <= settings.hopcountLimit else { return refused(submission, .tooManyHops(hops)) }
        let now = clock.now()
        let outcomes: [EachOutcome]
        do {
            outcomes = try await pool.run {
                if let full = shortage(submission.message.byteCount) { throw full }
                return submission.recipients.enumerated().map { takeOne(submission, $0.offset, now) }
            }
        } catch let error as AcceptError {
            return refused(submission, error)
        } catch {
            return refused(submission, .unavailable("\(error)"))
        }
        for case .queued(let id) in outcomes { enqueued(id) }
        let wanted = outcomes.indices.filter { index in
            if outcomes[index].file != nil { submission.recipients[index].notify?.contains(.success) == true } else { false }
        }
        var told = submission
        if outcomes.contains(where: \.isFailure) { told.notices = [] }
        if !wanted.isEmpty || !told.notices.isEmpty { await stored(told, wanted) }
        let replies = zip(submission.recipients, outcomes).map { $1.reply(to: $0.address, id: submission.id) }
        return (replies, Accepted(stored: Self.places(outcomes) { $0.file }, queued: Self.places(outcomes) { $0.entry }))
    }

    private func refused(_ submission: Submission, _ error: AcceptError) -> ([SMTPReply], Accepted) {
        (submission.recipients.map { _ in error.reply }, Accepted(stored: [:], queued: [:]))
    }

    private static func places<Place>(_ outcomes: [EachOutcome], _ place: (EachOutcome) -> Place?) -> [Int: Place] {
        Dictionary(uniqueKeysWithValues: outcomes.enumerated().compactMap { index, outcome in place(outcome).map { (index, $0) } })
    }

    /// The same where aliases may have made several copies of a client's recipient: that one is taken with all of them, or
    /// with none.
    /// - Parameter groups: the copies of each of the client's recipients, in their order; none is empty.
    public func acceptEach(_ submission: Submission, _ groups: [(recipients: [RoutedRecipient], notices: [Submission.Notice])]) async -> [SMTPReply] {
        await acceptEachNoting(submission, groups).replies
    }

    /// The same, with where each copy went.
    public func acceptEachNoting(_ submission: Submission, _ groups: [(recipients: [RoutedRecipient], notices: [Submission.Notice])]) async
        -> (replies: [SMTPReply], copies: [PlacedCopy]) {
        var whole = submission
        guard groups.contains(where: { $0.recipients.count != 1 }) else {
            (whole.recipients, whole.notices) = (groups.flatMap(\.recipients), groups.flatMap(\.notices))
            let (replies, accepted) = await acceptEachNoting(whole)
            return (replies, accepted.copies(of: whole.recipients, replies))
        }
        var replies: [SMTPReply] = []
        var copies: [PlacedCopy] = []
        for (index, group) in groups.enumerated() {
            (whole.id, whole.recipients, whole.notices) = ("\(submission.id).\(index)", group.recipients, group.notices)
            do throws(AcceptError) {
                copies += try await accept(whole).copies(of: whole.recipients)
                replies.append(SMTPReply(250, "2.1.5", "Ok: taken as \(whole.id)"))
            } catch {
                replies.append(error.reply)
                copies += Accepted(stored: [:], queued: [:]).copies(of: whole.recipients, whole.recipients.map { _ in error.reply })
            }
        }
        return (replies, copies)
    }

    private enum EachOutcome: Sendable {
        case stored(DeliveredFile)
        case queued(String)
        case failed(SMTPReply)

        var file: DeliveredFile? { if case .stored(let file) = self { file } else { nil } }
        var entry: String? { if case .queued(let entry) = self { entry } else { nil } }
        var isFailure: Bool { if case .failed = self { true } else { false } }

        func reply(to address: EmailAddress, id: String) -> SMTPReply {
            switch self {
            case .stored: SMTPReply(250, "2.1.5", "<\(address)> stored as \(id)")
            case .queued(let entry): SMTPReply(250, "2.0.0", "Ok: queued as \(entry)")
            case .failed(let reply): reply
            }
        }
    }

    private func takeOne(_ submission: Submission, _ index: Int, _ now: Date) -> EachOutcome {
        let recipient = submission.recipients[index]
        let fresh = recipient.queued(.fresh(at: now))
        guard case .local(let place) = recipient.destination else { return queueOne(submission, submission.sender(of: recipient), recipient, "\(submission.id).\(index)", now) }
        do throws(LocalDelivery.Failure) {
            return .stored(try local.deliver(submission.message, from: submission.sender(of: recipient).address, to: fresh, place))
        } catch {
            return .failed(error.reply(recipient.address))
        }
    }

    private func queueOne(_ submission: Submission, _ sender: QueueSender, _ recipient: RoutedRecipient, _ id: String, _ now: Date) -> EachOutcome {
        do throws(QueueError) {
            try queue.enqueue(QueueEnvelope(id: id, arrival: now, sender: sender, recipients: [recipient.queued(.fresh(at: now))], hold: submission.hold(of: [recipient], now)), message: PrivateFields.removed(from: submission.message))
            return .queued(id)
        } catch {
            return .failed(AcceptError(error).reply)
        }
    }
}
