import Foundation

/// Texts made from the declared settings: the reference, and `postern config show`.
public enum SettingsReference {
    /// Markdown: a table of every setting.
    public static func markdown() -> String {
        var out = "| setting | type | default | meaning |\n|---|---|---|---|\n"
        for setting in Known.all {
            out += "| `\(setting.key)` | \(setting.typeName) | `\(setting.defaultText)` | \(setting.text) |\n"
        }
        return out
    }

    /// Every setting with its value in force; those from the file are marked.
    public static func show(_ settings: Settings) -> String {
        let width = Known.all.map(\.key.count).max() ?? 0
        return Known.all.map { setting in
            let key = setting.key.padding(toLength: width, withPad: " ", startingAt: 0)
            return "\(key) = \(settings.text(of: setting))" + (settings.isSet(setting) ? "" : "   # default")
        }.joined(separator: "\n")
    }
}
