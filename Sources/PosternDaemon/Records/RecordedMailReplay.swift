import DecisionRecords
import Foundation
import InternetMessage
import MailFilters
import Policy
import PolicyReplay

/// An installation's recorded mail, judged again by its rules or others.
public struct RecordedMailReplay: Sendable {
    private let archive: DecisionArchive
    private let replay: Replay
    private let place: MailboxPlace?
    private let copies = StoredCopies()

    /// Blocks.
    /// - Parameters:
    ///   - rules: a folder of rule files; nil: the installation's own.
    ///   - mailbox: `alice@home.example`, or with `/Junk` behind it: only messages with a copy there.
    /// - Throws: what is wrong with the rules, or that there are no records.
    public init(_ settings: Settings, rules folder: String? = nil, mailbox: String? = nil) throws {
        archive = try InstalledRecords.archive(settings)
        let folder = folder ?? settings[Known.policyDirectory].path
        let domains = Set(settings[Known.mydestination])
        let house = PolicyHouse(delimiters: settings[Known.recipientDelimiter]) { $0.domainName.map(domains.contains) ?? false }
        replay = Replay(rules: folder.isEmpty ? RuleSet.empty : try RuleSet.load(folder: folder), house: house)
        place = try mailbox.map { try MailboxPlace($0, mail: settings[Known.dataDirectory].path + "/mail") }
    }

    /// - Parameters:
    ///   - since: milliseconds since 1970.
    ///   - visit: gets each message, oldest first, and how many there are in all.
    public func run(since: Int, _ visit: (DecisionRecord, ReplayResult, Int) -> Void) async throws {
        let total = try archive.count(since: since)
        var walk = archive.walk(since: since)
        while let page = try walk.next() {
            for stored in page where place?.holds(stored.record) ?? true {
                let (copies, files) = (copies, stored.record.copies.compactMap(\.file))
                visit(stored.record, await replay.run(stored) { files.lazy.compactMap(copies.body).first }, total)
            }
        }
    }
}
