/// The settings in force: values from the file, defaults for the rest.
public struct Settings: Sendable {
    private var values: [String: any Sendable]
    /// The settings file's folder: a default that is a relative path is meant from there, too.
    private let baseFolder: String
    /// Where the file sets each key, from 1.
    private let lines: [String: Int]

    public init(values: [String: any Sendable] = [:], baseFolder: String = ".", lines: [String: Int] = [:]) {
        self.values = values
        self.baseFolder = baseFolder
        self.lines = lines
    }

    public subscript<Value>(_ setting: Setting<Value>) -> Value {
        get { values[setting.key] as? Value ?? fallback(of: setting) }
        set { values[setting.key] = newValue }
    }

    private func fallback<Value>(of setting: Setting<Value>) -> Value {
        (setting.fallback as? FilePath)?.resolved(from: baseFolder) as? Value ?? setting.fallback
    }

    /// Whether the file says it, or the default holds.
    public func isSet(_ setting: any AnySetting) -> Bool { values[setting.key] != nil }

    /// The line of the file that sets it, from 1; nil where the default holds.
    public func line(of setting: any AnySetting) -> Int? { lines[setting.key] }

    /// The value in force as the file would write it.
    public func text(of setting: any AnySetting) -> String {
        values[setting.key].map { setting.describe($0) } ?? setting.defaultText
    }

    /// By key.
    static let declared: [String: any AnySetting] = Dictionary(uniqueKeysWithValues: Known.all.map { ($0.key, $0) })
    /// Tables that hold keys of their own: `listen`, `dns`.
    static let tables: [String] = Array(Set(Known.all.compactMap { setting in
        setting.key.split(separator: ".").count > 1 ? setting.key.split(separator: ".").first.map(String.init) : nil
    })).sorted()
}

extension Settings {
    /// Where the counts of `postern tlsrpt` are.
    public var tlsReportFile: String { self[Known.dataDirectory].path + "/tlsrpt.sqlite" }

    /// Whether clients can be offered TLS, and so a log-in.
    public var hasTLS: Bool { !self[Known.certFile].isEmpty || !self[Known.keyFile].isEmpty || self[Known.acme] }

    /// The folder of `postern dkim`'s keys.
    public var dkimKeyFolder: String {
        let named = self[Known.dkimKeyDirectory].path
        return named.isEmpty ? self[Known.dataDirectory].path + "/dkim" : named
    }
}

public enum LogLevelName: String, CaseIterable, Sendable { case debug, info, notice, warning, error }

/// Every setting there is, declared by group in `Known/`. Postfix's word where Postfix has one.
public enum Known {
    /// In the order of the reference.
    public static let all: [any AnySetting] = identity + addresses + localMail + files + listeners + tls + certificates + smtpServer + imapServer + limits + milterLinks + relay + queue + dns + dkim
        + dmarc + records + operation
        + publication
    /// What a reload does not change.
    static let fixedAtStart: [any AnySetting] = all.filter { !$0.reloads }
}
