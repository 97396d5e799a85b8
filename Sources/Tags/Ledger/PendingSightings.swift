import Foundation
import NetworkAddress

/// Sightings that are not written yet: counted together by tag and domain.
struct PendingSightings {
    /// Message ids kept for each domain of a tag.
    static let messageLimit = 20

    struct Key: Hashable {
        let tag: Int64
        /// Empty: not authenticated.
        let domain: String
        /// Written by the domain itself, not passed on.
        let isDirect: Bool
    }

    struct Count {
        var method: SenderIdentity.Method?
        var first: Date
        var last: Date
        var count: Int
        var messages: [(id: String, at: Date)]
    }

    private(set) var counts: [Key: Count] = [:]
    var isEmpty: Bool { counts.isEmpty }

    mutating func add(_ tag: Int64, _ seen: SenderIdentity.Party?, isDirect: Bool, _ messageID: String, _ at: Date) {
        let message = (id: String(messageID.unicodeScalars.prefix(250)), at: at)
        let key = Key(tag: tag, domain: seen?.domain.text ?? "", isDirect: isDirect)
        merge(key, Count(method: seen?.method, first: at, last: at, count: 1, messages: seen == nil ? [] : [message]))
    }

    mutating func merge(_ key: Key, _ more: Count) {
        guard var known = counts[key] else { counts[key] = more; return }
        known.method = more.method
        known.first = min(known.first, more.first)
        known.last = max(known.last, more.last)
        known.count += more.count
        known.messages += more.messages.prefix(max(0, Self.messageLimit - known.messages.count))
        counts[key] = known
    }
}
