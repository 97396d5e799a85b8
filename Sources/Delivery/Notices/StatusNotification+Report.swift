import SMTPCore
import InternetMessage
import MailQueue

/// The part for programs: message/delivery-status (RFC 3464), or RFC 6533's form where an address needs UTF-8.
extension StatusNotification {
    /// Lines end in CRLF; groups are separated by an empty line (RFC 3464 §2.1).
    var report: String { ([messageGroup] + entries.map(recipientGroup)).map { $0.joined() }.joined(separator: "\r\n") }

    private var messageGroup: [String] {
        var fields = [field("Reporting-MTA", "dns; \(hostName)")]
        // RFC 3464 §2.2.1: exactly as the sender gave it, so decoded from xtext.
        if let id = sender.envelopeID.flatMap({ Xtext.decode($0) }) { fields.insert(field("Original-Envelope-Id", id), at: 0) }
        return fields + [field("X-Queue-ID", originalID), field("Arrival-Date", Self.date(arrival))]
    }

    private func recipientGroup(_ entry: Entry) -> [String] {
        var fields: [String] = []
        if let original = originalRecipient(entry.recipient) { fields.append(field("Original-Recipient", original)) }
        fields.append(field("Final-Recipient", typed(entry.recipient.address)))
        fields.append(field("Action", action.rawValue))
        fields.append(field("Status", status(entry.note)))
        if let server = entry.note.remoteMTA { fields.append(field("Remote-MTA", "dns; \(server)")) }
        if action == .failed || action == .delayed {
            fields.append(field("Diagnostic-Code", (entry.note.replyCode == nil ? "X-Postern; " : "smtp; ") + Self.diagnosis(entry.note)))
        }
        fields.append(field("Last-Attempt-Date", Self.date(entry.note.time)))
        if action == .delayed, let retryUntil { fields.append(field("Will-Retry-Until", Self.date(retryUntil))) }
        return fields
    }

    /// ORCPT, decoded (RFC 3464 §2.3.1); nothing when the sender gave none.
    private func originalRecipient(_ recipient: QueueRecipient) -> String? {
        guard let given = recipient.originalRecipient, let cut = given.firstIndex(of: ";"), cut != given.startIndex else { return nil }
        let isUTF8 = given[..<cut].lowercased() == "utf-8"
        guard let address = Xtext.decode(given[given.index(after: cut)...], allowingUTF8: isUTF8) else { return nil }
        guard isUTF8 else { return "\(given[..<cut]);\(address)" }
        let plain = UTF8Address.decode(address)
        return "utf-8;" + (isInternational ? plain : UTF8Address.encode(plain))
    }

    /// RFC 6533 §3: where the report may not hold UTF-8, the address is written in US-ASCII.
    private func typed(_ address: EmailAddress) -> String {
        guard address.needsSMTPUTF8 else { return "rfc822; \(address)" }
        return "utf-8; " + (isInternational ? address.description : UTF8Address.encode(address.description))
    }

    /// RFC 3463 §2: the class must agree with the action; a reply whose code did not is set right.
    private func status(_ note: DeliveryNote) -> String {
        let wanted = switch action { case .failed: "5"; case .delayed: "4"; case .delivered, .relayed, .expanded: "2" }
        let parts = note.status.split(separator: ".")
        guard parts.count == 3, parts.allSatisfy({ Int($0) != nil }) else { return wanted + ".0.0" }
        return "\(wanted).\(parts[1]).\(parts[2])"
    }

    private func field(_ name: String, _ value: String) -> String {
        let lines = Self.wrap("\(name): \(legible(value))", width: 76)
        return lines.joined(separator: "\r\n    ") + "\r\n"
    }

    /// message/delivery-status is US-ASCII (RFC 3464 §2.1), whatever another server wrote into its reply.
    private func legible(_ text: String) -> String {
        let text = Self.clean(text)
        guard !isInternational else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isASCII ? $0 : "?" }))
    }
}
