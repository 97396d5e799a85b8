import InternetMessage
import NetworkAddress

/// A value that a rule sees. Absence is nil where it is handed over, `missing` in the language.
public enum PolicyValue: Sendable, Hashable, CustomStringConvertible {
    case text(String)
    case address(EmailAddress)
    case domain(DomainName)
    case ip(IPAddress)
    case number(Int)
    case flag(Bool)
    /// One of a fixed set of words: `pass`, `reject`, `leaked`.
    case word(String)
    case list([PolicyValue])

    /// As it is shown in traces and put in the place of `{name}`.
    public var description: String {
        switch self {
        case .text(let text), .word(let text): text
        case .address(let address): address.description
        case .domain(let name): name.text
        case .ip(let address): address.description
        case .number(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .list(let values): values.map(\.description).joined(separator: ", ")
        }
    }
}

/// The type of a fact, by which the checker knows what it may be compared with.
enum PolicyType: Sendable, Hashable, CustomStringConvertible {
    case text, address, domain, ip, number, flag
    /// Values are numbers of seconds.
    case duration
    /// A word of a fixed set; in an ordered set `<` and `>` have a meaning.
    case word([String], ordered: Bool)
    indirect case list(PolicyType)

    var description: String {
        switch self {
        case .text: "a string"
        case .address: "an address"
        case .domain: "a domain"
        case .ip: "an IP address"
        case .number: "a number"
        case .duration: "a length of time"
        case .flag: "true or false"
        case .word(let words, _): "one of " + words.joined(separator: ", ")
        case .list(let element): "a list (each " + element.description + ")"
        }
    }

    /// What a single comparison looks at: the element's type of a list, else the type itself.
    var element: PolicyType { if case .list(let element) = self { element } else { self } }
    var isList: Bool { if case .list = self { true } else { false } }
    var isOrdered: Bool {
        switch self {
        case .number, .duration: true
        case .word(_, let ordered): ordered
        default: false
        }
    }
}
