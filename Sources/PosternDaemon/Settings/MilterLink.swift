import MilterClient

/// One entry of `milters`: the filters of this program, or a foreign milter.
///
/// What holds for one milter only is written as Postfix has it since 3.0:
/// `{ inet:localhost:11332, default_action=accept, connect_timeout=5s, command_timeout=10s, content_timeout=60s }`.
public enum MilterLink: SettingValue, Hashable {
    case builtIn
    case foreign(MilterAddress, Own)

    /// Settings of its own; nil where `milter_default_action` and its kin hold.
    public struct Own: Sendable, Hashable {
        public var defaultAction: MilterClientConfiguration.DefaultAction?
        public var connectTimeout: TimeSpan?
        public var commandTimeout: TimeSpan?
        public var contentTimeout: TimeSpan?

        public init() {}
    }

    public static var typeName: String { "milter" }
    private static let wanted = SettingMismatch("\"builtin\", \"inet:host:port\", \"unix:/path\" or \"{ inet:host:port, default_action=accept }\"")

    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .string(let text) = item else { throw Self.wanted }
        if text == "builtin" {
            self = .builtIn
        } else if let address = MilterAddress(text) {
            self = .foreign(address, Own())
        } else if text.hasPrefix("{"), text.hasSuffix("}") {
            self = try Self.detailed(text.dropFirst().dropLast())
        } else {
            throw Self.wanted
        }
    }

    /// What stands between the braces: the address, then settings, with commas or blanks between.
    private static func detailed(_ text: Substring) throws -> MilterLink {
        let words = text.split { $0 == "," || $0.isWhitespace }
        guard let first = words.first, let address = MilterAddress(first) else { throw wanted }
        var own = Own()
        for word in words.dropFirst() { try own.set(word) }
        return .foreign(address, own)
    }

    public var tomlText: String {
        switch self {
        case .builtIn: "\"builtin\""
        case .foreign(let address, let own): own.words.isEmpty ? address.description.tomlText : "{ \(([address.description] + own.words).joined(separator: ", ")) }".tomlText
        }
    }
}

extension MilterLink.Own {
    private static let times: [(String, WritableKeyPath<Self, TimeSpan?> & Sendable)] = [
        ("connect_timeout", \.connectTimeout), ("command_timeout", \.commandTimeout), ("content_timeout", \.contentTimeout),
    ]

    fileprivate mutating func set(_ word: Substring) throws {
        let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw SettingMismatch("settings of a milter as name=value, not \"\(word)\"") }
        if let time = Self.times.first(where: { $0.0 == parts[0] }) {
            self[keyPath: time.1] = try TimeSpan(.string(parts[1]), baseFolder: "")
        } else if parts[0] == "default_action" {
            guard let action = MilterClientConfiguration.DefaultAction(rawValue: parts[1]) else { throw SettingMismatch("default_action accept, reject, tempfail or quarantine") }
            defaultAction = action
        } else {
            throw SettingMismatch("of a milter's settings default_action, connect_timeout, command_timeout and content_timeout, not \"\(parts[0])\"")
        }
    }

    /// As the braces have them.
    fileprivate var words: [String] {
        let spans = Self.times.compactMap { name, path in self[keyPath: path].map { "\(name)=\($0.seconds)s" } }
        return (defaultAction.map { ["default_action=\($0.rawValue)"] } ?? []) + spans
    }
}
