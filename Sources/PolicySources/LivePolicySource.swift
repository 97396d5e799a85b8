import BlockingPool
import DNS
import Foundation
import InternetMessage
import Logging
import Policy

/// Answers the rules of a running server: from the DNS, the accounts, the message, and what the installation remembers.
public struct LivePolicySource: PolicySource {
    private let blocklists: BlocklistLookup
    private let exchanges: MailExchangeLookup
    private let state: PolicyState?
    private let mayWrite: @Sendable (String, EmailAddress) -> Bool
    private let pool: BlockingPool
    private let archives: BlockingPool
    private let logger: Logger
    private let now: @Sendable () -> Int

    /// - Parameters:
    ///   - state: counters and greylist; nil: nothing is counted and nobody waits.
    ///   - mayWrite: whether an account may write as an address. May block.
    ///   - pool: where short blocking work runs.
    ///   - archives: where archives are looked through, which may take seconds and must not hold up the rest.
    ///   - now: seconds since 1970.
    public init(resolver: any Resolver, state: PolicyState?, pool: BlockingPool, archives: BlockingPool, logger: Logger,
                mayWrite: @escaping @Sendable (String, EmailAddress) -> Bool,
                now: @escaping @Sendable () -> Int = { Int(Date().timeIntervalSince1970) }) {
        blocklists = BlocklistLookup(resolver: resolver)
        exchanges = MailExchangeLookup(resolver: resolver)
        self.state = state
        self.mayWrite = mayWrite
        self.pool = pool
        self.archives = archives
        self.logger = logger
        self.now = now
    }

    public func answer(_ query: PolicyQuery, about message: Message) async -> PolicyAnswer {
        switch query {
        case .blocklist(let set, let subject): return await blocklists.ask(set, about: subject)
        case .mailExchange(let domain): return await exchanges.ask(domain)
        case .messageAge: return age(of: message)
        case .rate(let event): return state.map { PolicyAnswer(.number($0.rates.count(event, at: now()))) } ?? .missing
        case .greylist(let attempt):
            guard let state else { return .missing }
            return await blocking(pool) { PolicyAnswer(.number(try state.greylist.attempt(attempt, at: now()))) }
        case .mayWrite(let account, let address): return await blocking(pool) { PolicyAnswer(.flag(mayWrite(account, address))) }
        case .attachments: return await blocking(archives) { PolicyAnswer(.attachments(AttachmentInspector().inspect(message))) }
        }
    }

    private func age(of message: Message) -> PolicyAnswer {
        guard let field = message.header.first("Date"), let date = MailDate(field.value) else { return .missing }
        return PolicyAnswer(.number(now() - Int(date.unixTime)))
    }

    /// Failures are logged and answer nothing: these are a gate's extras, and mail goes on without them.
    private func blocking(_ pool: BlockingPool, _ work: @escaping @Sendable () throws -> PolicyAnswer) async -> PolicyAnswer {
        do { return try await pool.run(work) } catch {
            logger.error("policy state", metadata: ["error": "\(error)"])
            return PolicyAnswer(nil, remarks: ["\(error)"])
        }
    }
}
