import InternetMessage

/// The running transaction's bookkeeping: commands to send, replies owed, what is decided.
struct TransactionWork: Sendable {
    enum Step: Sendable, Hashable { case reset, mail, recipient(Int), data }
    enum Phase: Sendable, Hashable { case commands, content, verdict, emptyVerdict }

    var transaction = ClientTransaction(sender: nil, recipients: [], byteCount: 0)
    var outcomes: [RecipientOutcome?] = []
    /// Commands not sent yet, in order.
    var toSend: [Step] = []
    /// Commands whose reply is owed, in order.
    var outstanding: [Step] = []
    var accepted: [Int] = []
    var phase = Phase.commands
    /// A reply to this transaction has come.
    var hasHeard = false
    /// Chunks of BDAT whose reply is owed.
    var chunks = 0
    /// LMTP: accepted recipients whose verdict is owed, in order.
    var owed: [Int] = []

    /// Whether anybody is left for whom the content should be sent.
    var hasUndecided: Bool { outcomes.contains { $0 == nil } }

    mutating func decide(_ outcome: RecipientOutcome, for recipients: [Int]) {
        for index in recipients where outcomes[index] == nil { outcomes[index] = outcome }
    }

    mutating func decideAll(_ outcome: RecipientOutcome) { decide(outcome, for: Array(outcomes.indices)) }

    func report(undecided: RecipientOutcome, serverNotifies: Bool) -> TransactionReport {
        TransactionReport(outcomes: outcomes.map { $0 ?? undecided }, serverNotifies: serverNotifies, contentWasSent: phase == .verdict,
                          wasDeadAtStart: !hasHeard && outcomes.contains { $0 == nil } && undecided.isLost)
    }

    var stage: String {
        switch (phase, outstanding.first) {
        case (.commands, .reset): "the reply to RSET"
        case (.commands, .mail): "the reply to MAIL"
        case (.commands, .recipient): "the reply to RCPT"
        case (.commands, _): "the reply to DATA"
        case (.content, _): "the content to be taken"
        case (.verdict, _), (.emptyVerdict, _): "the reply to the end of data"
        }
    }
}
