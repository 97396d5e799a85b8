import BlockingPool
import InternetMessage
import Milter

/// Mail made on this machine, taken through the filters of `listener_milters.local` as the events of a conversation that
/// nobody held (Postfix's `non_smtpd_milters`, cleanup_milter.c).
struct LocalMail: Sendable {
    enum Outcome: Sendable {
        /// With every change applied.
        case passed(Transaction)
        /// A filter refused it, for now or for good, or threw it away; which one.
        case refused(FilterAnswer, by: String)
    }

    /// The filters, asked for at each message: a reload concerns the next.
    let chain: @Sendable () -> FilterChain
    /// Where filters run that read bodies from their files.
    let pool: BlockingPool

    /// What filters hear of a client that there is not.
    static let connection = ConnectionFacts(listener: MailEntrance.local.rawValue, isOwnNetwork: true)
    static let helo = "localhost"

    /// Asks every filter at every stage. A refused recipient refuses the message, as with Postfix: nobody is there who
    /// could be told of one. Each filter's own time-outs bound it.
    /// - Parameters:
    ///   - transaction: complete, with its recipients and its message; its connection is replaced.
    ///   - adapt: what stands in for each filter.
    func filter(_ transaction: Transaction, adapt: (any MailFilter) -> any MailFilter = { $0 }) async -> Outcome {
        let chain = FilterChain(chain().filters.map(adapt))
        return await withTaskExecutorPreference(pool) {
            var session = chain.makeSession()
            let outcome = await Self.run(transaction, through: &session)
            if case .refused = outcome { await session.abort() }
            await session.close()
            return outcome
        }
    }

    private static func run(_ mail: Transaction, through session: inout FilterChainSession) async -> Outcome {
        var transaction = mail
        transaction.connection = connection
        transaction.helo = helo
        if let refused = refusal(await session.connect(connection)) { return refused }
        if let refused = refusal(await session.helo(helo, connection)) { return refused }
        transaction.recipients = []
        if let refused = refusal(await session.mail(&transaction)) { return refused }
        for recipient in mail.recipients {
            if let refused = refusal(await session.rcpt(recipient, &transaction)) { return refused }
            transaction.recipients.append(recipient)
        }
        if let refused = refusal(await session.data(&transaction)) { return refused }
        if let refused = refusal(await session.endOfMessage(&transaction)) { return refused }
        return .passed(transaction)
    }

    private static func refusal(_ verdict: FilterChainSession.Verdict) -> Outcome? {
        verdict.answer.isNegative ? .refused(verdict.answer, by: verdict.filter ?? "a filter") : nil
    }
}
