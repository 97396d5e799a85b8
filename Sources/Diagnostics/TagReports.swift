import Foundation
import Tags

/// A tag as `postern tag` shows it; the shape of its JSON.
public struct TagReport: Sendable, Encodable {
    public let address: String
    /// `open`, `blocked`, `revoked`.
    public let state: String
    public let minted: Bool
    public let created: Date
    public let owners: [Owner]
    public let refused: [Owner]
    /// Only of a single tag: who wrote to it, the latest first.
    public let seen: [Sighting]?

    public struct Owner: Sendable, Encodable {
        public let domain: String
        /// `learned`, `declared`, `confirmed`, `refused`.
        public let origin: String
        public let since: Date

        init(_ owner: TagOwner) { (domain, origin, since) = (owner.domain.text, owner.origin.rawValue, owner.since) }
    }

    public struct Sighting: Sendable, Encodable {
        /// nil: everything that was not authenticated.
        public let domain: String?
        /// `dmarc`, `dkim`, `spf`.
        public let method: String?
        /// False for what a forwarder or a list passed on, and for what a rule exempts.
        public let direct: Bool
        public let first: Date
        public let last: Date
        public let count: Int
        public let messageIds: [String]

        init(_ sighting: TagSighting) {
            (domain, method, direct) = (sighting.domain?.text, sighting.method?.rawValue, sighting.isDirect)
            (first, last, count, messageIds) = (sighting.first, sighting.last, sighting.count, sighting.messageIDs)
        }
    }

    /// - Parameter seen: whether the record's sightings were asked for.
    public init(_ record: TagRecord, address: String, seen withSightings: Bool) {
        self.address = address
        (state, minted, created) = (record.state.rawValue, record.isMinted, record.created)
        owners = record.owners.map(Owner.init)
        refused = record.refused.map(Owner.init)
        seen = withSightings ? record.sightings.map(Sighting.init) : nil
    }

    /// All about one tag.
    public var text: String {
        var lines = [Plain.line(address) + "  " + state + (minted ? ", minted " : ", since ") + created.ISO8601Format()]
        lines += (owners + refused).map { "  \($0.origin == "refused" ? "refused" : "owner")  \($0.domain)  \($0.origin == "refused" ? "" : $0.origin + " ")\($0.since.ISO8601Format())" }
        if owners.isEmpty { lines.append("  no owner yet: the next authenticated sender becomes one") }
        guard let seen, !seen.isEmpty else { return (lines + ["  nobody wrote to it yet"]).joined(separator: "\n") }
        let head = ["  SEEN", "BY", "COUNT", "FIRST", "LAST", "MESSAGES"]
        lines += TextTable([head] + seen.map { one in
            ["  " + (one.domain ?? "(not authenticated)"), (one.method ?? "-") + (one.direct ? "" : ", passed on"), "\(one.count)",
             one.first.ISO8601Format(), one.last.ISO8601Format(), Plain.line(one.messageIds.joined(separator: " "))]
        }).lines
        return lines.joined(separator: "\n")
    }

    /// Several tags, a line each.
    public static func table(_ reports: [TagReport]) -> String {
        guard !reports.isEmpty else { return "no tags yet: one begins with the first authenticated mail to it, or with postern tag mint" }
        return TextTable([["TAG", "STATE", "CREATED", "OWNERS"]] + reports.map { one in
            let owners = one.owners.map { $0.domain + ($0.origin == "learned" ? " (learned)" : "") }
            return [Plain.line(one.address), one.state + (one.minted ? ", minted" : ""), one.created.ISO8601Format(), owners.isEmpty ? "-" : owners.joined(separator: ", ")]
        }).lines.joined(separator: "\n")
    }
}

/// A leak as `postern leaks` shows it: who had the address, who used it, when, and in which messages.
public struct LeakReport: Sendable, Encodable {
    public let address: String
    public let owners: [String]
    public let usedBy: String
    /// `dmarc`, `dkim`, `spf`.
    public let method: String?
    public let first: Date
    public let last: Date
    public let count: Int
    /// Of the first few messages.
    public let messageIds: [String]

    public init(_ leak: TagLeak, address: String) {
        self.address = address
        owners = leak.owners.map(\.domain.text)
        usedBy = leak.offender.domain?.text ?? ""
        method = leak.offender.method?.rawValue
        (first, last, count, messageIds) = (leak.offender.first, leak.offender.last, leak.offender.count, leak.offender.messageIDs)
    }

    public static func table(_ leaks: [LeakReport]) -> String {
        guard !leaks.isEmpty else { return "no leaks" }
        return TextTable([["TAG", "HAD BY", "USED BY", "PROVED BY", "COUNT", "FIRST", "LAST", "MESSAGES"]] + leaks.map { one in
            [Plain.line(one.address), one.owners.isEmpty ? "-" : one.owners.joined(separator: ","), one.usedBy, one.method ?? "-", "\(one.count)",
             one.first.ISO8601Format(), one.last.ISO8601Format(), Plain.line(one.messageIds.joined(separator: " "))]
        }).lines.joined(separator: "\n")
    }
}
