import Foundation

/// The staged rotation: the only ways a key's state changes. Pure; times are given.
extension DomainKeys {
    /// Why a step is refused.
    public enum Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        case unknownSelector(String, domain: String)
        case selectorTaken(String)
        case alreadyRetired(String)
        case stillSigning(String)
        case keepUntil(String, Date)

        public var description: String {
            switch self {
            case .unknownSelector(let selector, let domain): "there is no key '\(selector)' of \(domain); see: postern dkim list"
            case .selectorTaken(let selector): "selector '\(selector)' was used before: a new key needs a new one, since old mail refers to the old key"
            case .alreadyRetired(let selector): "'\(selector)' is retired already"
            case .stillSigning(let selector): "'\(selector)' still signs: rotate first (postern dkim rotate), or add --now if it is compromised"
            case .keepUntil(let selector, let date):
                "the record of '\(selector)' must stay until \(KeyTime.text(date)), for mail that is under way; add --now if the key is compromised"
            }
        }
    }

    mutating func stage(_ key: StoredKey) throws(Refusal) {
        guard self[key.selector] == nil else { throw .selectorTaken(key.selector) }
        keys.append(key)
    }

    /// Notes that a key's record was seen wherever it must be. A staged key begins to sign; those of its algorithm that
    /// signed until now retire.
    /// - Parameter retirement: seconds for which a retiring key's record stays: longer than mail may be under way.
    mutating func markPublished(_ selector: String, at now: Date, retirement: TimeInterval) {
        guard let index = keys.firstIndex(where: { $0.selector == selector }) else { return }
        if keys[index].seenPublished == nil { keys[index].seenPublished = now }
        guard keys[index].state == .staged else { return }
        for other in keys.indices where keys[other].state == .active && keys[other].algorithm == keys[index].algorithm {
            keys[other].state = .retiring
            keys[other].keepUntil = now + retirement
        }
        keys[index].state = .active
        keys[index].activated = now
    }

    /// - Parameter regardless: of its date and of whether it signs (a compromised key).
    mutating func retire(_ selector: String, at now: Date, regardless: Bool) throws(Refusal) {
        guard let index = keys.firstIndex(where: { $0.selector == selector }) else {
            throw .unknownSelector(selector, domain: domain.text)
        }
        switch keys[index].state {
        case .retired: throw .alreadyRetired(selector)
        case .active where !regardless: throw .stillSigning(selector)
        case .retiring:
            if let date = keys[index].keepUntil, date > now, !regardless { throw .keepUntil(selector, date) }
        case .staged, .active: break
        }
        keys[index].state = .retired
        keys[index].retired = now
    }

    /// Retiring keys whose date has come.
    public func due(at now: Date) -> [StoredKey] { keys(in: .retiring).filter { ($0.keepUntil ?? .distantPast) <= now } }
}

/// Dates as people and files read them: UTC, ISO 8601.
public enum KeyTime {
    public static func text(_ date: Date) -> String { date.formatted(.iso8601) }
}
