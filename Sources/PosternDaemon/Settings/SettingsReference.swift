import Foundation

/// The reference, made from the declared settings.
public enum SettingsReference {
    /// The reference as `contrib/docs/settings.md` has it.
    public static func document() -> String {
        """
        # Settings
        Every key that may stand in `postern.toml`; any other is an error that names the line. Written by
        `postern config reference`. Names are Postfix's where Postfix has one. Times are `"300s"`, `"5m"`, `"2h"`, `"5d"`;
        relative paths start at the settings file's folder. A dot in a key is a table: `listen.smtp` is `smtp` below `[listen]`.
        A reload (SIGHUP) takes up rules, aliases, keys, certificates, milters and whose mail is taken; what concerns listeners,
        networks, the resolver, relaying and the queue waits for the next start, and the log names each setting that does.

        \(markdown())
        ## An example
        ```toml
        myhostname = "mail.example.org"
        mydestination = ["example.org"]
        data_directory = "/var/lib/postern"
        policy_directory = "/etc/postern/policies"
        smtpd_tls_cert_file = "/etc/letsencrypt/live/mail.example.org/fullchain.pem"
        smtpd_tls_key_file = "/etc/letsencrypt/live/mail.example.org/privkey.pem"
        user = "postern"

        [listen]
        milter = ""            # no Postfix beside us

        [[dkim]]
        domain = "example.org"
        selector = "s2026"
        key_file = "/etc/postern/s2026.key"
        ```

        """
    }

    /// Markdown: a table of every setting.
    static func markdown() -> String {
        var out = "| setting | type | default | example | meaning |\n|---|---|---|---|---|\n"
        for setting in Known.all {
            out += "| `\(setting.key)` | \(setting.typeName) | `\(setting.defaultText)` | `\(SettingExamples.example(of: setting))` | \(setting.text) |\n"
        }
        return out
    }
}
