import InternetMessage
import PostfixDoctor

/// IMAP's ports and the accounts of a Dovecot beside the Postfix.
enum DovecotImport {
    static func carry(_ source: ImportSource, _ draft: inout Draft) {
        guard let text = source.dovecot else { return }
        let dovecot = DovecotSettings(text)
        for (name, value) in dovecot.root.values { draft.note(dovecot.file, nil, name, value, setting(name, value, dovecot, &draft, source)) }
        for section in dovecot.root.sections { draft.note(dovecot.file, nil, section.name, "{…}", self.section(section, dovecot, &draft, source)) }
    }

    private static let unneeded = ["log_", "auth_", "mail_debug", "mail_privileged_group", "mail_access_groups", "mail_plugins", "first_valid_uid", "last_valid_uid", "mail_uid", "mail_gid",
                                   "namespace", "ssl_dh", "ssl_cipher_list", "ssl_prefer", "login_", "mmap_disable", "mail_fsync", "mail_nfs", "dict", "base_dir", "listen", "instance_name",
                                   "managesieve", "mail_attribute", "mailbox_list_index", "maildir_", "lda_", "lmtp_", "imap_", "verbose_", "info_log", "debug_log", "default_", "mail_max"]

    private static func setting(_ name: String, _ value: String, _ dovecot: DovecotSettings, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        switch name {
        case "mail_location", "mail_path", "mail_driver", "mail_home": return mailLocation(value, &draft)
        case "recipient_delimiter":
            return value == source.postfix.value("recipient_delimiter") ? .isDefault("as Postfix has it") : .notCarried("Postfix's recipient_delimiter is taken, \"\(source.postfix.value("recipient_delimiter"))\"")
        case "ssl_cert", "ssl_server_cert_file": return certificate("smtpd_tls_cert_file", value, &draft)
        case "ssl_key", "ssl_server_key_file": return certificate("smtpd_tls_key_file", value, &draft)
        case "ssl": return value == "no" ? .notCarried("nobody logs in without TLS") : .isDefault("log-ins need TLS")
        case "disable_plaintext_auth", "auth_allow_cleartext": return .isDefault("nobody logs in without TLS")
        case "protocols":
            let others = Words.split(value).filter { !["imap", "lmtp", "none"].contains($0) }
            return others.isEmpty ? .isDefault("IMAP is served") : .notCarried("IMAP is served, and not \(others.joined(separator: ", "))")
        case "ssl_min_protocol": return .isDefault("TLS 1.2 is the least that is spoken")
        case "mail_max_userip_connections": return .notNeeded("connections are bounded by their number in all")
        case "auth_username_format": return .notNeeded("an account's log-in name is written out; names without a domain can be log-in names too")
        case let name where unneeded.contains(where: { name.hasPrefix($0) }): return .notNeeded("about Dovecot's own processes, users and files")
        default: return .notUnderstood("no such setting of Dovecot is known")
        }
    }

    private static func mailLocation(_ value: String, _ draft: inout Draft) -> Outcome {
        guard value.hasPrefix("maildir:") || value == "maildir" || !value.contains(":") else {
            return .notCarried("mail lies in Maildirs here: convert it first (doveadm sync to maildir:), then move it to data_directory/mail/ACCOUNT/Maildir")
        }
        draft.step("move each user's Maildir (\(value)) to data_directory/mail/ACCOUNT/Maildir, with the server stopped: its format, keywords and UIDs are Dovecot's")
        return .notNeeded("mail lies in data_directory/mail/ACCOUNT/Maildir, in Dovecot's format: what is there can be moved")
    }

    private static func certificate(_ key: String, _ value: String, _ draft: inout Draft) -> Outcome {
        let path = trimmed(value.hasPrefix("<") ? value.dropFirst() : value[...])
        let toml = TOMLText.string(path)
        if let known = draft.value(key) {
            return known == toml ? .isDefault("as Postfix has it") : .notCarried("one certificate is served to mail clients and servers; Postfix's is taken (\(key))")
        }
        return draft.set(key, toml, from: "Dovecot")
    }

    private static func section(_ section: DovecotSettings.Section, _ dovecot: DovecotSettings, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        switch section.name {
        case "service imap-login":
            var told: [String] = []
            for (listener, key) in [("imap", "listen.imap"), ("imaps", "listen.imaps")] {
                guard let port = dovecot.port(listener, of: "imap-login") else { continue }
                let outcome = draft.set(key, TOMLText.list(port == 0 ? [] : ["*:\(port)"]), from: "Dovecot's inet_listener \(listener)")
                told.append(outcome.text)
            }
            return told.isEmpty ? .isDefault("IMAP is served on 143 and 993") : .carried(told.joined(separator: "; "))
        case "passdb": return DovecotUsers.carry(section, &draft, source)
        case "userdb": return .notNeeded("accounts are no users of the system")
        case let name where name.hasPrefix("service "): return .notNeeded("about Dovecot's own processes and sockets")
        case let name where name.hasPrefix("namespace") || name.hasPrefix("protocol ") || name == "plugin" || name.hasPrefix("mailbox "):
            return section.values.contains { $0.name.hasPrefix("sieve") } ? .notCarried("what Sieve scripts did becomes rules (file into, add keyword)") : .notNeeded("folders, their special uses and quotas are kept by the server itself")
        default: return .notNeeded("about Dovecot's own processes and files")
        }
    }
}

/// A passwd-file's users (Dovecot's doc AuthDatabase/PasswdFile): `user:{SCHEME}hash:uid:gid::home`.
enum DovecotUsers {
    static func carry(_ section: DovecotSettings.Section, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        guard section.value("driver") == "passwd-file", let arguments = section.value("args") else {
            let driver = section.value("driver") ?? "?"
            return .notCarried("accounts are not found in \(driver == "pam" || driver == "shadow" || driver == "passwd" ? "the system's users" : driver): make each with postern account add")
        }
        // `scheme=… username_format=… /etc/dovecot/users`
        guard let path = arguments.split(separator: " ").last.map(String.init), path.hasPrefix("/") else { return .notUnderstood("args names no file") }
        let text: String
        do { text = try source.read(path) } catch { return .notUnderstood("\(path): \(error)") }
        // Its hashes count here too.
        let whole = draft.set("passwd_file", TOMLText.string(path), from: "Dovecot's passdb")
        if whole.fate == .carried {
            draft.step("our user must be able to read \(path), and nobody else")
            return whole
        }
        var ignored: [String] = []
        let domains = Treatments.domainList(source.postfix.value("mydestination"), source, &ignored) + Treatments.domainList(source.postfix.value("virtual_mailbox_domains"), source, &ignored)
        let users = text.split(separator: "\n").map(trimmed).filter { !$0.isEmpty && !$0.hasPrefix("#") }.compactMap { $0.split(separator: ":").first.map(String.init) }
        for user in users { add(user, domains, path, &draft, source) }
        return .carried("\(users.count) accounts to be made, below")
    }

    /// A local user has an address in each domain of mydestination, as Postfix's local(8) delivers.
    private static func add(_ user: String, _ domains: [String], _ path: String, _ draft: inout Draft, _ source: ImportSource) {
        guard !draft.accounts.contains(where: { $0.name == user.lowercased() }) else { return }
        let addresses = user.contains("@") ? [user.lowercased()] : domains.filter { $0.contains(".") && !$0.hasPrefix("localhost.") }.map { "\(user.lowercased())@\($0)" }
        draft.accounts.append(AccountDraft(name: user.lowercased(), addresses: addresses, origin: path))
    }
}
