import Foundation
import SASL

/// Passwords of single devices. Everything here blocks.
extension AccountStore {
    /// Makes a password for a device. Nobody can read it again.
    /// - Parameter name: what to call it; nil for its own first group.
    /// - Returns: the password, and what is kept of it.
    /// - Throws: ``AccountError``.
    public func addAppPassword(for account: String, name: String?) throws(AccountError) -> (password: String, facts: AppPassword) {
        let directory = try directory()
        guard let entry = directory.entry(named: account) else { throw .noSuchAccount(account) }
        let made = AppPasswordText(avoiding: directory.appPasswordIDs)
        let facts = AppPassword(id: made.id, account: entry.account.name, name: try AppPassword.checked(name ?? made.id), created: Int(Date().timeIntervalSince1970))
        // One salt for all of an account's passwords: SCRAM's challenge goes out before the client shows which it has.
        let common = entry.scram ?? entry.appPasswords.lazy.compactMap(\.scram).first
        let keys = SCRAMKeys.derive(from: made.text, salt: common?.salt, iterations: common?.iterations ?? scramIterations)
        let row = AccountDatabase.AppPasswordRow(facts: facts, hash: try hash(made.text), scram: keys?.text)
        try changing { () throws(AccountError) in try database.insert(row) }
        return (made.text, facts)
    }

    /// A password that nobody guesses and a person can type, for an account of which a machine makes the first one.
    public static func generatePassword() -> String { AppPasswordText().text }

    /// Those that hold, as the file has them now: their last use is newer than what look-ups go by.
    public func appPasswords(of account: String) throws(AccountError) -> [AppPassword] {
        guard let entry = try directory().entry(named: account) else { throw .noSuchAccount(account) }
        return try database.appPasswords().map(\.facts).filter { $0.account == entry.account.name && $0.revoked == nil }
    }

    /// Log-ins with it fail from now on.
    /// - Parameter name: the device's, or the password's first group.
    /// - Returns: the device's name.
    /// - Throws: ``AccountError``.
    public func revokeAppPassword(_ name: String, of account: String) throws(AccountError) -> String {
        let account = account.lowercased()
        var revoked = name
        try changing { () throws(AccountError) in revoked = try database.revokeAppPassword(name, of: account, now: Int(Date().timeIntervalSince1970)) }
        return revoked
    }
}
