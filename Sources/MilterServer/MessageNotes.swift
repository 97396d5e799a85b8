import InternetMessage
import Milter

/// What the record of a message needs that its transaction does not hold.
struct MessageNotes {
    /// The message as it came, before any filter changed it.
    var received: Transaction?
    /// Macro `i`: Postfix's queue id, which it has from the first recipient on.
    var mtaID: String?
    /// The filter that gave the last negative answer.
    var filter: String?
    /// The answer that ended the message, where it was given, and by whom.
    var ending: (answer: FilterAnswer, stage: MilterStage, filter: String?)?
    private var refusals: [RecipientRefusal] = []
    /// Refused recipients that are kept of one message: who guesses addresses gives many.
    private static let refusalLimit = 100

    mutating func add(_ answer: FilterAnswer, _ recipient: EnvelopeRecipient, position: Int) {
        guard let reply = answer.refusal, refusals.count < Self.refusalLimit else { return }
        refusals.append(RecipientRefusal(recipient, reply, filter: filter, position: position))
    }

    /// - Parameter answer: nil when the MTA gave the message up.
    func end(of transaction: Transaction, _ answer: FilterAnswer?) -> TransactionEnd {
        let outcome: TransactionEnd.Outcome = switch answer {
        case nil: .abandoned
        case .discard?: .discarded
        case .reject(let reply)?, .tempfail(let reply)?: .refused(reply)
        // What the MTA tells its client is not known here.
        case .continue?, .accept?: .accepted(SMTPReply(250, "2.0.0", "Ok"))
        }
        var end = TransactionEnd(received: received ?? transaction, transaction: transaction, outcome: outcome)
        end.stage = ending?.stage
        end.filter = ending?.filter
        end.refusals = refusals
        end.mtaID = mtaID
        return end
    }
}

extension FilterAnswer {
    /// The reply of a refusal.
    var refusal: SMTPReply? {
        switch self {
        case .reject(let reply), .tempfail(let reply): reply
        case .continue, .accept, .discard: nil
        }
    }
}
