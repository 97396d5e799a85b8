import NetworkAddress

extension Treatments {
    private static let ours = Outcome.notNeeded("mail lies in data_directory/mail/ACCOUNT/Maildir, in Dovecot's format; existing folders can be moved there")
    private static let locks = Outcome.notNeeded("a Maildir needs no locks")
    private static let unknown = Outcome.isDefault("an address that nobody has is refused with 550 5.1.1")

    static let delivery: [String: Treatment] = [
        "mailbox_size_limit": .builtIn(["0"], "mailboxes are not limited", else: .notNeeded("a Maildir has no file that grows; Postfix's limit is on the size of an mbox file, or of a message in a Maildir (message_size_limit)")),
        "virtual_mailbox_limit": .builtIn(["0"], "mailboxes are not limited", else: .notNeeded("a Maildir has no file that grows; Postfix's limit is on one message there (message_size_limit)")),
        "home_mailbox": .says(ours), "mail_spool_directory": .says(ours), "virtual_mailbox_base": .says(ours), "virtual_uid_maps": .says(ours), "virtual_gid_maps": .says(ours),
        "virtual_minimum_uid": .says(ours), "strict_mailbox_ownership": .says(ours),
        "mailbox_delivery_lock": .says(locks), "virtual_mailbox_lock": .says(locks), "deliver_lock_attempts": .says(locks), "deliver_lock_delay": .says(locks),
        "mailbox_command": Treatment { parameter, _, _ in
            if parameter.value.isEmpty { return .isDefault("mail is delivered into the Maildir") }
            return parameter.value.contains("dovecot") || parameter.value.contains("deliver")
                ? .notNeeded("mail is delivered into the Maildir; what Sieve scripts did becomes rules (file into, add keyword)")
                : .notCarried("no program is run for a message; what it did becomes rules (file into, add keyword, redirect)")
        },
        "mailbox_command_maps": .notCarried("no program is run for a message"),
        "mailbox_transport": Treatment(localTransport), "virtual_transport": Treatment(localTransport), "local_transport": Treatment(localTransport),
        "mailbox_transport_maps": .notCarried("every account has its Maildir here; mail for another server is a line of virtual_aliases"),
        "fallback_transport": .notCarried("an address that nobody has is refused; catch_all takes the rest of a domain"),
        "luser_relay": Treatment(catchAll),
        "local_recipient_maps": .says(unknown), "smtpd_reject_unlisted_recipient": .says(unknown), "unknown_local_recipient_reject_code": .says(unknown),
        "unknown_virtual_mailbox_reject_code": .says(unknown), "unknown_virtual_alias_reject_code": .says(unknown), "unknown_relay_recipient_reject_code": .says(unknown),
        "show_user_unknown_table_name": .notNeeded("the answer for an unknown address never tells where it was looked for"),
        "virtual_mailbox_domains": Treatment(mailboxDomains), "virtual_mailbox_maps": Treatment(mailboxes),
        "biff": .notNeeded("nobody is told on a terminal that mail came"),
        "allow_mail_to_commands": .isDefault("mail never runs a program"), "allow_mail_to_files": .isDefault("mail is never written to files but the Maildirs'"),
        "forward_path": .notNeeded("there are no .forward files; forwarding is a line of alias_maps or virtual_aliases"),
        "prepend_delivered_header": .notNeeded("Delivered-To is always written"),
        "require_home_directory": .notNeeded("accounts are no users of the system"),
        "local_command_shell": .notNeeded("mail never runs a program"), "command_time_limit": .notNeeded("mail never runs a program"),
        "default_privs": .notNeeded("mail never runs a program"), "command_execution_directory": .notNeeded("mail never runs a program"),
        "dont_remove": .notNeeded("for debugging Postfix"), "frozen_delivered_to": .notNeeded("mail that goes in circles is found out by hopcount_limit"),
    ]

    /// Where Postfix hands over mail for its own domains.
    private static func localTransport(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        let name = parameter.value.prefix { $0 != ":" }
        switch String(name) {
        case "", "local", "virtual": return .isDefault("mail for our domains is delivered into the accounts' Maildirs")
        case "lmtp" where parameter.value.contains("dovecot") || parameter.value.contains("postern"), "dovecot":
            return .notNeeded("mail for our domains is delivered into the accounts' Maildirs, which IMAP serves")
        case "error", "discard": return .notCarried("mail for our domains is delivered; rules can refuse or discard it")
        default:
            return .notCarried("mail for our domains is delivered into the accounts' Maildirs; to hand it to \(parameter.value) instead, take the domains out of mydestination and give them a line in [transport]")
        }
    }

    private static func mailboxDomains(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        var refused: [String] = []
        let domains = domainList(parameter.value, source, &refused)
        guard refused.isEmpty else { return .notCarried(refused.joined(separator: "; ")) }
        if domains.isEmpty { return .isDefault("there are no such domains") }
        var ignored: [String] = []
        let known = domainList(source.postfix.value("mydestination"), source, &ignored)
        let host = source.postfix.value("myhostname").lowercased()
        // First those of the mail: see mydestination.
        let all = domains + known.filter { !domains.contains($0) && $0 != host && !$0.hasPrefix("localhost") }
            + known.filter { !domains.contains($0) && ($0 == host || $0.hasPrefix("localhost")) }
        let outcome = draft.set("mydestination", TOMLText.list(all), from: "virtual_mailbox_domains, mydestination")
        return outcome.fate == .carried ? .carried("mydestination names them: \(domains.joined(separator: ", "))") : outcome
    }

    private static func mailboxes(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        var refused: [String] = [], count = 0
        for table in TableReference.list(parameter.value) {
            guard table.isReadable else {
                refused.append(table.whyNot)
                continue
            }
            do {
                for entry in TableText(try source.read(table.name)).entries {
                    guard !entry.key.hasPrefix("@") else {
                        refused.append("\(entry.key): name an account in catch_all")
                        continue
                    }
                    draft.accounts.append(AccountDraft(name: entry.key.lowercased(), addresses: [entry.key.lowercased()], origin: table.name))
                    count += 1
                }
            } catch { refused.append("\(table): \(error)") }
        }
        let told = count == 1 ? "one account to be made" : "\(count) accounts to be made"
        return refused.isEmpty ? .carried("\(told), below") : .notCarried((refused + (count > 0 ? [told] : [])).joined(separator: "; "))
    }

    /// `luser_relay = alice`: who gets what nobody has.
    private static func catchAll(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        if parameter.value.isEmpty { return .isDefault("an address that nobody has is refused") }
        guard !parameter.value.contains("$") else { return .notCarried("\"\(parameter.value)\": catch_all names one account for a domain") }
        var refused: [String] = []
        let domains = domainList(source.postfix.value("mydestination"), source, &refused).filter { $0.contains(".") && !$0.hasPrefix("localhost.") }
        let account = parameter.value.contains("@") ? parameter.value : "\(parameter.value)@\(domains.first { $0 != source.postfix.value("myhostname").lowercased() } ?? domains.first ?? "localhost")"
        return draft.set("catch_all", TOMLText.table(domains.map { ($0, account) }), from: parameter.origin)
    }
}
