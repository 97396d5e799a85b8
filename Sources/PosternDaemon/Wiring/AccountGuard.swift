import Accounts
import Foundation
import Logging
import Milter

/// Counts what accounts send, and says of each message whether it is beyond its account's limit.
struct AccountGuard: Sendable {
    /// What one message cost.
    struct Charge: Sendable {
        let account: String
        let recipients: Int
        let limit: AccountLimit
        let use: AccountUse
        let isOver: Bool
        let isFirstOfDay: Bool

        var reason: String { "\(account) is over its limit of \(AccountGuard.text(limit)): \(use.messages) messages, \(use.recipients) recipients" }
    }

    let live: Live
    let accounts: AccountStore
    let ledger: AccountLedger
    let administrator: AdministratorMail
    let logger: Logger

    /// Blocks.
    /// - Returns: nil for mail of nobody's account, and where there is no limit or it cannot be counted: that is logged, and
    ///   mail goes on.
    func charge(_ transaction: Transaction) -> Charge? {
        guard let account = transaction.connection.authenticatedUser else { return nil }
        do {
            let limit = try accounts.limit(of: account) ?? Self.common(live.current.settings)
            guard !limit.isUnlimited else { return nil }
            let count = transaction.recipients.count
            let charged = try ledger.charge(account, recipients: count, limit: limit, now: Int(Date().timeIntervalSince1970))
            let charge = Charge(account: account, recipients: count, limit: limit, use: charged.use, isOver: charged.isOver, isFirstOfDay: charged.isFirstOfDay)
            if charge.isOver { logger.warning("held: \(charge.reason)", metadata: ["id": "\(transaction.id)", "account": "\(account)"]) }
            return charge
        } catch {
            logger.error("the mail of accounts is not counted", metadata: ["account": "\(account)", "error": "\(error)"])
            return nil
        }
    }

    /// For a message that was not taken after all. Blocks.
    func refund(_ charge: Charge) { try? ledger.refund(charge.account, recipients: charge.recipients) }

    /// Once an account and day: the log has every message.
    func tell(_ charge: Charge) async {
        do {
            try await administrator.send(subject: "Mail of \(charge.account) is held", lines: [
                "The account \(charge.account) has sent more than its limit of \(Self.text(charge.limit)):",
                "\(charge.use.messages) messages to \(charge.use.recipients) recipients. If that was not its owner, the password is stolen.",
                "",
                "What it sends beyond the limit is held in the queue, and nothing of it is lost:",
                "  postern queue list                      shows it",
                "  postern queue release ID                lets a message go",
                "  postern queue remove ID                 throws it away",
                "  postern account passwd \(charge.account)    changes the password",
                "  postern account limit \(charge.account) --recipients N --per 1h    allows it more",
                "",
                "You are told of this account once a day.",
            ])
        } catch { logger.error("the administrator cannot be told of held mail", metadata: ["account": "\(charge.account)", "error": "\(error)"]) }
    }

    /// What the settings say for every account.
    static func common(_ settings: Settings) -> AccountLimit {
        AccountLimit(messages: settings[Known.accountMessageLimit], recipients: settings[Known.accountRecipientLimit], window: settings[Known.accountLimitWindow].seconds)
    }

    static func text(_ limit: AccountLimit) -> String {
        let parts = [limit.messages > 0 ? "\(limit.messages) messages" : nil, limit.recipients > 0 ? "\(limit.recipients) recipients" : nil].compactMap { $0 }
        return parts.joined(separator: " and ") + " in \(TimeSpan(seconds: limit.window).shortText)"
    }
}
