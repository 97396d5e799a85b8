import Accounts
import Foundation

/// The limits of accounts, for `postern account limit`. Everything here blocks.
public struct AccountLimits {
    private let settings: Settings
    private let accounts: AccountStore
    private let ledger: AccountLedger

    /// - Throws: what keeps the data folder's files from being opened.
    public init(_ settings: Settings) throws {
        self.settings = settings
        accounts = try LiveParts.openAccounts(settings)
        ledger = try AccountLedger(path: Self.path(settings))
    }

    static func path(_ settings: Settings) -> String { settings[Known.dataDirectory].path + "/use.sqlite" }

    /// `1h`, `1d`, from a minute to thirty days.
    /// - Throws: an error in words.
    public static func window(_ text: String) throws -> Int {
        guard let span = try? TimeSpan(.string(text), baseFolder: ""), (60...2_592_000).contains(span.seconds) else {
            throw SettingsError(file: "--per", faults: [.init(line: nil, text: "\"\(text)\" is not a time from 1m to 30d")])
        }
        return span.seconds
    }

    /// What is not given stays as it is in force.
    public func set(_ name: String, messages: Int?, recipients: Int?, window: Int?) throws {
        let now = try inForce(name).limit
        try accounts.setLimit(AccountLimit(messages: messages ?? now.messages, recipients: recipients ?? now.recipients, window: window ?? now.window), of: name)
    }

    public func reset(_ name: String) throws { try accounts.setLimit(nil, of: name) }

    /// The limit in force, whose it is, and how much of it is used.
    public func description(of name: String) throws -> String {
        let (limit, isOwn) = try inForce(name)
        let use = try ledger.use(of: name.lowercased(), limit: limit, now: Int(Date().timeIntervalSince1970))
        return "\(name.lowercased())  \(limit.isUnlimited ? "no limit" : AccountGuard.text(limit)) (\(isOwn ? "its own" : "the settings'"))\n"
            + "  now: \(use.messages) messages, \(use.recipients) recipients\(use.isOver(limit) ? "; its mail is held" : "")"
    }

    private func inForce(_ name: String) throws -> (limit: AccountLimit, isOwn: Bool) {
        guard try accounts.account(named: name) != nil else { throw AccountError.noSuchAccount(name) }
        let own = try accounts.limit(of: name)
        return (own ?? AccountGuard.common(settings), own != nil)
    }
}
