import Accounts
import Diagnostics
import Foundation

/// What the account commands print.
enum AccountOutput {
    struct Row: Encodable {
        let name: String
        let addresses: [String]
        /// `database` or `passwd_file`.
        let source: String
        let appPasswords: Int
        let scram: Bool
        /// Only where it has one of its own; 0 is none.
        let messageLimit: Int?
        let recipientLimit: Int?
        let limitSeconds: Int?

        init(_ summary: AccountSummary) {
            name = summary.account.name
            addresses = summary.account.addresses.map(\.description)
            source = summary.isFromFile ? "passwd_file" : "database"
            appPasswords = summary.appPasswords
            scram = summary.canSCRAM
            (messageLimit, recipientLimit, limitSeconds) = (summary.limit?.messages, summary.limit?.recipients, summary.limit?.window)
        }
    }

    struct Device: Encodable {
        let id: String
        let name: String
        let created: String
        let lastUsed: String?
        let lastClient: String?

        init(_ facts: AppPassword) {
            (id, name, created, lastClient) = (facts.id, facts.name, AccountOutput.time(facts.created), facts.lastClient)
            lastUsed = facts.lastUsed.map { AccountOutput.time($0) }
        }
    }

    static func table(_ accounts: [AccountSummary]) {
        let rows = accounts.map { one in
            [one.account.name, one.account.addresses.map(\.description).joined(separator: ", "), one.isFromFile ? "passwd_file" : "database", "\(one.appPasswords)"]
        }
        show([["ACCOUNT", "ADDRESSES", "FROM", "APP PASSWORDS"]] + rows)
    }

    static func table(_ devices: [AppPassword]) {
        show([["NAME", "ID", "MADE", "LAST USED", "FROM"]] + devices.map {
            [$0.name, $0.id, time($0.created), $0.lastUsed.map { time($0) } ?? "never", $0.lastClient ?? "-"]
        })
    }

    private static func show(_ rows: [[String]]) {
        // Two blanks between columns: a list of addresses has blanks of its own.
        for line in Diagnostics.TextTable(rows.map { row in row.enumerated().map { $0 == row.count - 1 ? Plain.line($1) : Plain.line($1) + " " } }).lines { print(line) }
    }

    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// `2026-11-28T01:23:45Z`
    static func time(_ seconds: Int) -> String { Date(timeIntervalSince1970: TimeInterval(seconds)).ISO8601Format() }
}
