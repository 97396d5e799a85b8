import PostfixDoctor

/// A line of main.cf, or a `-o` line of master.cf.
struct Parameter: Sendable {
    let file: String
    let service: PostfixSettings.Service?
    let name: String
    let value: String

    var serviceName: String? { service.map { "\($0.name)/\($0.type)" } }
    /// For comments.
    var origin: String { service.map { "\($0.name): -o \(name)" } ?? name }
    var words: [String] { Words.split(value) }
    /// Postfix's yes and no.
    var flag: Bool? {
        switch value.lowercased() {
        case "yes", "true", "on": true
        case "no", "false", "off": false
        default: nil
        }
    }
}

/// What is done with a parameter.
struct Treatment: Sendable {
    let apply: @Sendable (Parameter, inout Draft, ImportSource) -> Outcome

    init(_ apply: @escaping @Sendable (Parameter, inout Draft, ImportSource) -> Outcome) { self.apply = apply }

    static func says(_ outcome: Outcome) -> Treatment { Treatment { _, _, _ in outcome } }
    static func isDefault(_ text: String) -> Treatment { says(.isDefault(text)) }
    static func notNeeded(_ why: String) -> Treatment { says(.notNeeded(why)) }
    static func notCarried(_ what: String) -> Treatment { says(.notCarried(what)) }

    /// Fits what we do when it has one of these values; otherwise `else` is told.
    static func builtIn(_ values: Set<String>, _ text: String, else outcome: Outcome) -> Treatment {
        Treatment { parameter, _, _ in values.contains(parameter.value.lowercased()) ? .isDefault(text) : outcome }
    }

    /// Our setting of the same meaning. One that holds for a single service of Postfix cannot hold for one listener here.
    static func setting(_ key: String, _ kind: ValueKind) -> Treatment {
        Treatment { parameter, draft, _ in
            guard let toml = kind.toml(parameter.value) else { return .notUnderstood("\"\(parameter.value)\" is not \(kind.wanted)") }
            if parameter.service != nil {
                guard draft.value(key) == toml else { return .notCarried("\(key) holds for all listeners here; set it once, for the one that matters") }
                return .carried("\(key) = \(toml), as main.cf says it for all")
            }
            return draft.set(key, toml, from: parameter.origin)
        }
    }
}

/// How Postfix writes a value, and TOML.
enum ValueKind: Sendable {
    case number, time, flag, text, path
    case words([String: String])

    var wanted: String {
        switch self {
        case .number: "a number"
        case .time: "a time such as 300s"
        case .flag: "yes or no"
        case .text: "a text"
        case .path: "a path"
        case .words(let words): "one of \(words.keys.sorted().joined(separator: ", "))"
        }
    }

    func toml(_ value: String) -> String? {
        switch self {
        case .number: return Int(value).map(String.init)
        case .time:
            // Postfix's units are s, m, h, d and w; without one each parameter has its own, which postconf does not say.
            let digits = value.prefix { $0.isNumber }, unit = value.dropFirst(digits.count)
            guard let number = Int(digits), unit.isEmpty || (unit.count == 1 && "smhdw".contains(unit)) else { return nil }
            return unit.isEmpty ? String(number) : TOMLText.string(value)
        case .flag:
            switch value.lowercased() {
            case "yes", "true", "on": return "true"
            case "no", "false", "off": return "false"
            default: return nil
            }
        case .text, .path: return TOMLText.string(value)
        case .words(let words): return words[value.lowercased()].map(TOMLText.string)
        }
    }
}

/// Every parameter that is known, by name.
enum Treatments {
    static let all: [String: Treatment] = [
        identity, network, serverTLS, clientTLS, logIn, delivery, aliases, milters, limits, relay, queue, checks, postfixItself,
    ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

    static func treatment(of name: String) -> Treatment? { all[name] ?? families.first { $0.matches(name) }?.treatment }
}
