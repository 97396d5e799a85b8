/// One setting, declared once: its key, type, default and text make the check of a file, the reference and
/// `postern config show`.
public struct Setting<Value: SettingValue>: Sendable {
    /// As the file writes it: `message_size_limit`, or `listen.smtp` for a key in a table.
    public let key: String
    public let fallback: Value
    /// What it means, in a sentence or two, Markdown.
    public let text: String
    /// Whether a value of the right type may stand.
    let isFit: @Sendable (Value) -> Bool
    /// What a fit value is, for the error.
    let wanted: String
    public let reloads: Bool

    /// A setting that is read at start only.
    init(_ key: String, _ fallback: Value, _ text: String, wanted: String = "", isFit: @escaping @Sendable (Value) -> Bool = { _ in true }) {
        self.key = key
        self.fallback = fallback
        self.text = text
        self.wanted = wanted
        self.isFit = isFit
        reloads = false
    }

    /// A setting that a reload changes.
    init(live key: String, _ fallback: Value, _ text: String, wanted: String = "", isFit: @escaping @Sendable (Value) -> Bool = { _ in true }) {
        self.key = key
        self.fallback = fallback
        self.text = text
        self.wanted = wanted
        self.isFit = isFit
        reloads = true
    }
}

/// A setting without its type, for walking over all of them.
public protocol AnySetting: Sendable {
    var key: String { get }
    /// Whether a reload changes it; the others wait for the next start.
    var reloads: Bool { get }
    var text: String { get }
    var typeName: String { get }
    /// The default as the file would write it.
    var defaultText: String { get }
    /// Reads the file's value.
    /// - Throws: ``SettingMismatch``.
    func read(_ value: TOMLItem, baseFolder: String) throws -> any Sendable
    /// A value of this setting's type as the file would write it.
    func describe(_ value: any Sendable) -> String
}

extension Setting: AnySetting {
    public var typeName: String { Value.typeName }
    public var defaultText: String { fallback.tomlText }
    public func read(_ value: TOMLItem, baseFolder: String) throws -> any Sendable {
        let read = try Value(value, baseFolder: baseFolder)
        guard isFit(read) else { throw SettingMismatch(wanted) }
        return read
    }
    public func describe(_ value: any Sendable) -> String { (value as? Value)?.tomlText ?? "" }
}

/// What a value should have been, for an error message: `a list of networks such as "192.0.2.0/24"`.
public struct SettingMismatch: Error {
    public let wanted: String
    /// Below the setting's own key where a table has keys of its own: `[1].selector`.
    public let place: String

    init(_ wanted: String, place: String = "") {
        self.wanted = wanted
        self.place = place
    }
}

/// A TOML value as Swift data; dates and floats keep only their text, since no setting takes one.
public indirect enum TOMLItem: Sendable, Equatable {
    case string(String)
    case integer(Int)
    case boolean(Bool)
    case array([TOMLItem])
    case table([String: TOMLItem])
    case other(String)
}
