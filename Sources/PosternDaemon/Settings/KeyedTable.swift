import Delivery
import NetworkAddress
import SMTPClient

/// What the entries of a table setting are: `"example.org" = "secure"`.
public protocol TableEntry: Sendable, Hashable {
    static var typeName: String { get }
    /// What a key may be, and in which form entries are found; nil for what is no key.
    static func key(_ text: String) -> String?
    static var wantedKey: String { get }
    static var wantedValue: String { get }
    init?(_ text: String)
    var text: String { get }
}

/// A TOML table whose keys are the user's own.
public struct KeyedTable<Entry: TableEntry>: SettingValue, Hashable {
    public let entries: [String: Entry]
    public init(_ entries: [String: Entry] = [:]) { self.entries = entries }

    public static var typeName: String { "table of \(Entry.typeName)" }
    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .table(let table) = item else { throw SettingMismatch("a table: \(Entry.wantedKey) = \(Entry.wantedValue)") }
        var entries: [String: Entry] = [:]
        for (name, item) in table {
            guard let key = Entry.key(name) else { throw SettingMismatch("with keys that are \(Entry.wantedKey)", place: ".\(name)") }
            guard case .string(let text) = item, let entry = Entry(text) else { throw SettingMismatch(Entry.wantedValue, place: ".\(name)") }
            entries[key] = entry
        }
        self.entries = entries
    }

    public var tomlText: String {
        "{" + entries.sorted { $0.key < $1.key }.map { "\($0.key.tomlText) = \($0.value.text.tomlText)" }.joined(separator: ", ") + "}"
    }
}

/// A domain, or `.domain` for what lies below it.
enum DomainKey {
    static func form(_ text: String) -> String? {
        let name = text.hasPrefix(".") ? String(text.dropFirst()) : text
        guard let domain = DomainName(name), domain.isHostName else { return nil }
        return (text.hasPrefix(".") ? "." : "") + domain.text
    }
}

/// One entry of `transport`.
public struct TransportEntry: TableEntry {
    public let transport: Transport
    public init?(_ text: String) {
        guard let transport = Transport(text) else { return nil }
        self.transport = transport
    }
    public var text: String { transport.description }
    public static var typeName: String { "transports" }
    public static var wantedKey: String { "a domain, \".domain\" for those below it, or \"*\"" }
    public static var wantedValue: String { "\"smtp:[host]:port\", \"smtp:\", \"lmtp:unix:/path\", \"lmtp:host:port\", \"discard:\" or \"error:text\"" }
    public static func key(_ text: String) -> String? { text == "*" ? text : DomainKey.form(text) }
}

/// One entry of `smtp_tls_policy`.
public struct TLSPolicyEntry: TableEntry {
    public let policy: TLSPolicy
    public let text: String
    public init?(_ text: String) {
        guard let policy = TLSPolicy(text) else { return nil }
        self.policy = policy
        self.text = text
    }
    public static var typeName: String { "TLS policies" }
    public static var wantedKey: String { "a domain, \".domain\" for those below it, or a next hop such as \"[mail.example.org]:587\"" }
    public static var wantedValue: String {
        "none, may, encrypt, dane, dane-only, verify or secure, the last two perhaps with names: \"secure match=example.org:.example.org\""
    }
    public static func key(_ text: String) -> String? { DomainKey.form(text) ?? NextHop(text)?.description }
}

/// One entry of `destination_limits`.
public struct DestinationLimitEntry: TableEntry {
    public let limits: DestinationLimits.Entry
    public let text: String
    public init?(_ text: String) {
        guard let limits = DestinationLimits.Entry(text) else { return nil }
        self.limits = limits
        self.text = text
    }
    public static var typeName: String { "limits" }
    public static var wantedKey: String { TLSPolicyEntry.wantedKey }
    public static var wantedValue: String { "such as \"concurrency=2 recipients=10 rate_delay=1s\": one or more of these, numbers from 1, times in ms, s or m up to 60m" }
    public static func key(_ text: String) -> String? { TLSPolicyEntry.key(text) }
}
