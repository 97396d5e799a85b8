import DNS
import NetworkAddress

/// The settings in force, with where each value comes from: `postern config show`.
///
/// Passwords and keys stand in files that settings name, so nothing here is secret.
public struct ShownSettings: Sendable {
    public struct Row: Sendable, Encodable {
        public enum Source: String, Sendable, Encodable { case file, `default`, derived }
        public let key: String
        /// As the file would write it.
        public let value: String
        public let source: Source
        public let line: Int?
        /// What it is derived from: `myhostname`.
        public let from: String?
    }
    public let file: String
    public let rows: [Row]

    /// - Parameter isWhole: with what the file does not say.
    public init(_ settings: Settings, file: String, isWhole: Bool) {
        self.file = file
        let derived = Self.derived(settings)
        rows = Known.all.compactMap { setting in
            if settings.isSet(setting), derived[setting.key] == nil || settings.text(of: setting) != setting.defaultText {
                return Row(key: setting.key, value: settings.text(of: setting), source: .file, line: settings.line(of: setting), from: nil)
            }
            guard isWhole else { return nil }
            if let (value, from) = derived[setting.key] { return Row(key: setting.key, value: value, source: .derived, line: nil, from: from) }
            return Row(key: setting.key, value: settings.text(of: setting), source: .default, line: nil, from: nil)
        }
    }

    /// What stands for an empty value.
    private static func derived(_ settings: Settings) -> [String: (value: String, from: String)] {
        let host = settings[Known.myhostname].text.tomlText
        var out: [String: (value: String, from: String)] = [:]
        func derive(_ setting: any AnySetting, _ isEmpty: Bool, _ value: String, _ from: String) { if isEmpty { out[setting.key] = (value, from) } }
        derive(Known.authservID, settings[Known.authservID].isEmpty, host, "myhostname")
        derive(Known.myorigin, settings[Known.myorigin].isEmpty, host, "myhostname")
        derive(Known.srsDomain, settings[Known.srsDomain].isEmpty, settings.srsDomain.text.tomlText, settings[Known.mydestination].isEmpty ? "myhostname" : "mydestination")
        derive(Known.srsSecretsFile, settings[Known.srsSecretsFile].isEmpty, settings.srsSecretsPath.tomlText, "data_directory")
        derive(Known.dkimKeyDirectory, settings[Known.dkimKeyDirectory].isEmpty, settings.dkimKeyFolder.tomlText, "data_directory")
        derive(Known.maildropDirectory, settings[Known.maildropDirectory].isEmpty, settings.maildropFolder.tomlText, "data_directory")
        derive(Known.keyFile, settings[Known.keyFile].isEmpty && !settings[Known.certFile].isEmpty, settings[Known.certFile].tomlText, "smtpd_tls_cert_file")
        return out
    }

    /// `file:line`, `default`, `derived from myhostname`.
    public func place(of row: Row) -> String {
        switch row.source {
        case .file: row.line.map { "\(file):\($0)" } ?? file
        case .default: "default"
        case .derived: "derived from \(row.from ?? "other settings")"
        }
    }

    /// Lines that are aligned, and TOML up to the source, which is a comment.
    public var text: String {
        let key = rows.map(\.key.count).max() ?? 0
        // One long list does not push all comments off the screen.
        let value = min(rows.map(\.value.count).max() ?? 0, 40)
        return rows.map { row in
            let left = row.key + String(repeating: " ", count: key - row.key.count) + " = " + row.value
            return left + String(repeating: " ", count: max(key + 3 + value - left.count, 0)) + "  # " + place(of: row)
        }.joined(separator: "\n")
    }
}
