import InternetMessage
import MailQueue

/// The part for people.
extension StatusNotification {
    var subject: String {
        switch action {
        case .failed: "Your message could not be delivered"
        case .delayed: "Your message is delayed"
        case .delivered: "Your message was delivered"
        case .relayed: "Your message was passed on"
        case .expanded: "Your message was passed on to several addresses"
        }
    }

    private var opening: String {
        switch action {
        case .failed: "Your message could not be delivered to the recipients below.\nIt will not be tried again; the reason follows each address."
        case .delayed: "Your message has not been delivered yet. You need not do anything:\nit will be tried again until \(retryUntil.map(Self.date) ?? "it expires")."
        case .delivered: "Your message was delivered to the recipients below, as you asked to be told."
        case .relayed: "Your message was passed on to a server that does not report deliveries.\nYou will hear no more of it unless it fails."
        case .expanded: "Your message was passed on to the addresses behind the recipients below.\nYou will hear no more of it unless it fails."
        }
    }

    /// Lines end in CRLF.
    var words: String {
        var lines = ["This is the mail system at \(hostName).", ""] + opening.split(separator: "\n").map(String.init) + [""]
        for entry in entries {
            lines.append("<\(entry.recipient.original)>" + (entry.recipient.original == entry.recipient.address ? "" : " (delivered as <\(entry.recipient.address)>)"))
            let speaker = entry.note.replyCode == nil ? "" : "\(entry.note.remoteMTA ?? "the other server") said: "
            lines += Self.wrap(speaker + Self.diagnosis(entry.note)).map { "    " + $0 }
            if let hint = Self.hint(entry.note) { lines += Self.wrap(hint).map { "    " + $0 } }
            lines.append("")
        }
        lines.append("Subject of your message: \(original.header.first("Subject").map { String($0.value.prefix(200)) } ?? "(none)")")
        return lines.map { Self.clean($0) + "\r\n" }.joined()
    }

    /// What people would otherwise take for a refusal of theirs.
    private static func hint(_ note: DeliveryNote) -> String? {
        note.cause == "tls" ? "Nobody refused it: the connection was not as secure as is demanded of that server." : nil
    }

    /// `550 5.1.1 No such user` or our own words, on one line.
    static func diagnosis(_ note: DeliveryNote) -> String {
        let text = clean(note.text.split(whereSeparator: \.isNewline).joined(separator: " "))
        return note.replyCode.map { "\($0) \(note.status) \(text)" } ?? text
    }

    /// Breaks at blanks so that lines stay near 72 characters.
    static func wrap(_ text: String, width: Int = 72) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return lines + (line.isEmpty ? [] : [line])
    }

    static func clean(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
    }
}
