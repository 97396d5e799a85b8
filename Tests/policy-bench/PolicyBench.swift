import Foundation
import InternetMessage
import NetworkAddress
import Policy

/// What one evaluation of rules costs: `swift run -c release policy-bench`. Not a test: it prints figures.
@main
enum PolicyBench {
    static func main() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
        let shipped = try RuleSet.load(files: [folder + "/policies/default.policy"])
        try measure("default.policy", shipped)
        try measure("200 rules of a cookbook", load(rules(200)))
        try measure("200 rules, six tables of 100,000 entries", load(rules(200) + tableRules))
        try measure("2,000 rules", load(rules(2_000)))
    }

    private static func load(_ text: String) throws -> RuleSet {
        let start = ContinuousClock.now
        let rules = try RuleSet.load(files: ["bench.policy"], reader: Files(rules: text))
        print("  \(rules.count) rules loaded in \(ContinuousClock.now - start)")
        return rules
    }

    private static func measure(_ name: String, _ rules: RuleSet) throws {
        let facts = try Facts()
        var rounds = 0, matched = 0
        let start = cpuTime
        while cpuTime - start < 1 {
            for _ in 0..<100 { matched += rules.evaluate(.message, facts).actions.count }
            rounds += 100
        }
        let taken = (cpuTime - start) / Double(rounds)
        let asked = rules.evaluate(.message, facts).trace.count
        print("\(name): \(String(format: "%.1f", taken * 1e6)) CPU-µs a message, \(asked) rules asked, \(matched / rounds) actions")
    }

    /// Seconds of the processor, which other programs do not disturb much.
    private static var cpuTime: Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

    /// What people write: mostly conditions that do not hold.
    private static func rules(_ count: Int) -> String {
        let kinds: [(Int) -> String] = [
            { "when from.domain == \"shop\($0).example\" then file into \"Shops/\($0)\"" },
            { "when header[\"List-Id\"] matches \"*<list\($0).lists.example>*\" then file into \"Lists/\($0)\"" },
            { "when header[\"Subject\"] matches /\\border[ -]?\($0)\\d{3}\\b/i then add keyword \"Order\"" },
            { "when header[\"Subject\"] contains [\"casino\($0)\", \"lottery\($0)\"] and not spf.result == pass then subject prefix \"[junk?]\"" },
            { "when client.ip in 10.\($0 % 256).0.0/16 or sender.domain in [\".a\($0).example\", \"b\($0).example\"] then quarantine \"held\"" },
            { "when dkim.domains contains \"partner\($0).example\" and dmarc.result == pass then add header \"X-Partner\" \"{dkim.domains}\"" },
            { "when size > \(20 + $0)M and account == missing then add header \"X-Large\" \"{size}\"" },
            { "when recipients.count > \(50 + $0) or dmarc.result == fail and dmarc.policy == reject then reject" },
        ]
        return "stage message\n" + (0..<count).map { "rule \"r\($0)\" \(kinds[$0 % kinds.count]($0))\n" }.joined()
    }

    private static let tableRules = """
        rule "t1" when sender in table "addresses" then quarantine "x"
        rule "t2" when from.domain in table "domains" then quarantine "x"
        rule "t3" when client.ip in table "networks" then quarantine "x"
        rule "t4" when dkim.domains contains table "domains" then quarantine "x"
        rule "t5" when recipients contains table "addresses" then quarantine "x"
        rule "t6" when client.name in table "domains" then quarantine "x"

        """

    private struct Files: PolicyFileReader {
        let rules: String

        func policyFiles(in folder: String) throws -> [String] { [] }

        func read(_ path: String, limit: Int) throws -> [UInt8] {
            let entries = 0..<100_000
            switch path {
            case "addresses": return Array(entries.map { "user\($0)@d\($0 % 997).example\n" }.joined().utf8)
            case "domains": return Array(entries.map { $0 % 2 == 0 ? "d\($0).example\n" : ".e\($0).example\n" }.joined().utf8)
            case "networks": return Array(entries.map { "198.\(18 + $0 / 65_536).\($0 / 256 % 256).\($0 % 256)\n" }.joined().utf8)
            default: return Array(rules.utf8)
            }
        }
    }

    /// A message such as most are.
    private struct Facts: PolicyFacts {
        private let values: [PolicyFact: PolicyValue]
        private let fields = ["subject": ["Re: lunch on Friday, and the order form for the new office chairs"], "list-id": ["Announcements <announce.other.example>"]]

        init() throws {
            func domain(_ text: String) -> PolicyValue? { DomainName(text).map { .domain($0) } }
            func address(_ text: String) -> PolicyValue? { EmailAddress(text).map { .address($0) } }
            values = [
                .clientIP: IPAddress("192.0.2.1").map { .ip($0) }, .clientName: domain("mail.honest.example"), .clientOwn: .flag(false),
                .sender: address("ann@honest.example"), .senderDomain: domain("honest.example"), .from: address("ann@honest.example"),
                .fromDomain: domain("honest.example"), .size: .number(4_096), .recipientsCount: .number(1), .recipients: .list([address("bob@home.example")].compactMap { $0 }),
                .spfResult: .word("pass"), .dmarcResult: .word("pass"), .dmarcPolicy: .word("reject"), .dkimDomains: .list([domain("honest.example")].compactMap { $0 }),
            ].compactMapValues { $0 }
        }

        func value(of fact: PolicyFact) -> PolicyValue? { values[fact] }
        func headers(named name: String) -> [String] { fields[name.lowercased()] ?? [] }
    }
}
