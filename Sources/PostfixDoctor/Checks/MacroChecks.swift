/// What Postfix tells a milter of the client and the message.
extension PostfixDoctor {
    /// The macros our filters read, and what is lost without them.
    private static let macros: [(setting: String, needed: [String], meaning: String)] = [
        ("milter_connect_macros", ["{daemon_name}"], "which service took the mail"),
        ("milter_helo_macros", ["{tls_version}", "{cipher}", "{cipher_bits}"], "whether the connection was encrypted"),
        ("milter_mail_macros", ["i", "{auth_type}", "{auth_authen}"], "who logged in, so own users' mail would pass for a stranger's and not be signed"),
        ("milter_rcpt_macros", ["{rcpt_addr}"], "the recipient as Postfix resolved it"),
        ("milter_end_of_data_macros", ["i"], "Postfix's queue id: the logs could not be joined, and the folder and keywords that our filters wish for would not reach our LMTP"),
    ]

    var macroChecks: [Finding] {
        // From version 6 on a milter asks for macros by name, and Postfix then leaves its own lists aside.
        let weight: Finding.Weight = (Int(postfix.value("milter_protocol")) ?? 6) < 6 ? .fix : .note
        return Self.macros.compactMap { setting, needed, meaning in
            guard let text = postfix.main[setting] else { return nil }
            let words = text.split(whereSeparator: { " \t,".contains($0) }).map { $0.trimming("{}") }
            let missing = needed.filter { !words.contains($0.trimming("{}")) }
            guard !missing.isEmpty else { return nil }
            let because = weight == .fix ? "" : " We ask for them by name, so Postfix sends them all the same; other milters may not."
            return Finding("milter-macros", weight, "\(setting) leaves out \(missing.joined(separator: " ")): \(meaning).\(because)", file: postfix.mainFile,
                           lines: ["\(setting) = \((text.isEmpty ? missing : [text] + missing).joined(separator: " "))"])
        }
    }

    /// Names that both sides must have alike.
    var identityChecks: [Finding] {
        var out: [Finding] = []
        let theirs = postfix.value("myhostname"), delimiter = postfix.value("recipient_delimiter")
        if !own.authservID.isEmpty, !theirs.isEmpty, own.authservID.lowercased() != theirs.lowercased() {
            out.append(Finding(
                "authserv-id", .fix,
                "We write Authentication-Results as \(own.authservID), while this Postfix is \(theirs): readers who trust the receiving host's name do not find ours, and fields forged in its name are not removed.",
                file: own.file, lines: ["authserv_id = \"\(theirs)\""]))
        }
        if Set(delimiter) != Set(own.recipientDelimiter) {
            out.append(Finding(
                "recipient-delimiter", .fix,
                "Postfix separates tags with \"\(delimiter)\", we with \"\(own.recipientDelimiter)\": tagged addresses would be unknown to one of us.",
                file: own.file, lines: ["recipient_delimiter = \"\(delimiter)\""]))
        }
        let classes = postfix.value("internal_mail_filter_classes")
        out.append(classes.isEmpty
            ? Finding("internal-mail", .note, "Bounces and notices that Postfix makes itself do not pass the milters, so they are not signed. To have them signed, let them through.",
                      file: postfix.mainFile, lines: ["internal_mail_filter_classes = bounce, notify"])
            : Finding("internal-mail", .note, "Mail that Postfix makes itself (\(classes)) passes the milters, and is signed. A filter that refuses it makes it vanish.",
                      file: postfix.mainFile, lines: ["internal_mail_filter_classes ="]))
        return out
    }

    /// Services for own users.
    var submissionChecks: [Finding] {
        var out: [Finding] = []
        for service in postfix.smtpd where service.isSubmission {
            guard postfix.value("milter_macro_daemon_name", service) != "ORIGINATING" else { continue }
            out.append(Finding(
                "originating", .fix,
                "The service \(service.name) takes mail of own users and does not say so to milters: they would treat it as a stranger's wherever nobody logged in.",
                file: postfix.masterFile, lines: ["\(service.name) \(service.type) …", "  -o milter_macro_daemon_name=ORIGINATING"]))
        }
        if postfix.main["milter_macro_daemon_name"] == "ORIGINATING" {
            out.append(Finding(
                "originating-everywhere", .note,
                "milter_macro_daemon_name = ORIGINATING stands in main.cf, so mail from strangers is named so too. We do not believe the name alone; other milters might sign what strangers send. It belongs below the submission services in master.cf.",
                file: postfix.mainFile, lines: ["#milter_macro_daemon_name = ORIGINATING"]))
        }
        return out
    }
}
