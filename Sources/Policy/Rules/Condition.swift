/// What a comparison looks at.
enum Subject: Sendable, Hashable {
    case fact(PolicyFact)
    case header(String)
    /// The weight with which a set of DNS lists lists a fact's value.
    case blocklist(BlocklistSet, PolicyFact)
    case rate(RateTerms)

    /// As rule files spell it.
    var name: String {
        switch self {
        case .fact(let fact): fact.rawValue
        case .header(let name): "header[\"\(name)\"]"
        case .blocklist(let set, .clientIP): "dnsbl[\"\(set.name)\"]"
        case .blocklist(let set, let fact): "dnsbl[\"\(set.name)\", \(fact.rawValue)]"
        case .rate(let terms): terms.name
        }
    }
}

/// `rate(client.ip, 1h)`: events that have these values in common, in a window of seconds.
struct RateTerms: Sendable, Hashable {
    let facts: [PolicyFact]
    let window: Int
    var name: String { "rate(\(facts.map(\.rawValue).joined(separator: ", ")), \(PolicyDuration.text(window)))" }
}

/// A checked condition. A header stands for all fields of its name and a list for its elements: a comparison holds
/// when it holds for one of them. The negative operators are `not` around the positive, so a missing value, for which
/// no positive comparison holds, is `!=` everything.
indirect enum Condition: Sendable {
    case any([Condition])
    case all([Condition])
    case not(Condition)
    case constant(Bool)
    case isMissing(Subject)
    case isTrue(Subject)
    /// Text and local parts without regard to case.
    case equals(Subject, PolicyValue)
    case same(Subject, Subject)
    case number(Subject, Comparison, Int)
    case numbers(Subject, Comparison, Subject)
    /// A word compared by its place among the ordered words.
    case rank(Subject, Comparison, Int, of: [String])
    case member(Subject, Members)
    /// One of these texts (in lower case, UTF-8) lies within.
    case containsText(Subject, [[UInt8]])
    case matches(Subject, [PatternProgram])
}

extension Comparison {
    func holds(_ left: Int, _ right: Int) -> Bool {
        switch self {
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        default: left == right
        }
    }
}

extension PolicyValue {
    /// The form in which values are compared: lower case where case has no meaning, IPv4-mapped addresses as IPv4.
    var folded: PolicyValue {
        switch self {
        case .text(let text): .text(text.lowercased())
        case .address(let address): .address(address.folded)
        case .ip(let address): .ip(address.unmapped)
        case .list(let values): .list(values.map(\.folded))
        case .domain, .number, .flag, .word: self
        }
    }
}
