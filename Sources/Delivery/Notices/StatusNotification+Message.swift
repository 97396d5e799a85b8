import InternetMessage

/// The notification as a message: multipart/report (RFC 6522).
extension StatusNotification {
    /// Whose the notification is: `MAILER-DAEMON` at our host (RFC 3464 §2 leaves the choice; Postfix's).
    public var author: EmailAddress? { EmailAddress("MAILER-DAEMON@\(hostName)") }

    private var boundary: String { "=_\(id)_report" }

    /// Builds the message. May block, when the returned body lies in a file.
    /// - Throws: ``SpoolFile/Failure``.
    public func message() throws -> Message {
        let body = try body()
        return Message(header: header(is8Bit: Self.is8Bit(body)), body: MessageBody(body))
    }

    private func header(is8Bit: Bool) -> MessageHeader {
        let from = author.map { "Mail Delivery System <\($0)>" } ?? "Mail Delivery System <MAILER-DAEMON>"
        var fields = [
            HeaderField(name: "Date", value: Self.date(now)),
            HeaderField(name: "From", value: from),
            HeaderField(name: "To", value: "<\(to)>"),
            HeaderField(name: "Subject", value: subject),
            HeaderField(name: "Message-ID", value: "<\(id)@\(hostName)>"),
            // RFC 3834 §5: so that no responder answers.
            HeaderField(name: "Auto-Submitted", value: "auto-replied"),
            HeaderField(name: "MIME-Version", value: "1.0"),
            HeaderField(name: "Content-Type", value: "multipart/report; report-type=delivery-status;\r\n boundary=\"\(boundary)\""),
        ]
        // RFC 2045 §6.4: what holds a part of 8 bits is of 8 bits itself.
        if is8Bit { fields.append(HeaderField(name: "Content-Transfer-Encoding", value: "8bit")) }
        if let theirs = originalMessageID {
            // RFC 3834 §3.1.5
            fields.append(HeaderField(name: "In-Reply-To", value: theirs))
            fields.append(HeaderField(name: "References", value: theirs))
        }
        return MessageHeader(fields)
    }

    /// nil for one that no header of ours may hold.
    private var originalMessageID: String? {
        guard let value = original.header.first("Message-ID")?.value, !value.isEmpty, value.utf8.count <= 900,
            isInternational || !Self.is8Bit(value.utf8) else { return nil }
        return value
    }

    private func body() throws -> [UInt8] {
        var out = Array("This is a MIME-encapsulated message.\r\n".utf8)
        let text = words
        part(type: "text/plain; charset=\(Self.is8Bit(text.utf8) ? "utf-8" : "us-ascii")", content: Array(text.utf8), into: &out)
        part(type: isInternational ? "message/global-delivery-status" : "message/delivery-status", content: Array(report.utf8), into: &out)
        let (type, content) = try returned()
        part(type: type, content: content, into: &out)
        out += Array("\r\n--\(boundary)--\r\n".utf8)
        return out
    }

    /// RFC 6522 §3 (3): the message or its header; RFC 6533 §3's types where the header has UTF-8.
    private func returned() throws -> (type: String, content: [UInt8]) {
        let head = original.headerBytes()
        // Octets above 127 without leave to send them are no UTF-8 that anybody vouches for: they go back as they came.
        let isGlobal = isInternational && Self.is8Bit(head)
        guard returnsFull else { return (isGlobal ? "message/global-headers" : "text/rfc822-headers", head) }
        return (isGlobal ? "message/global" : "message/rfc822", head + (try original.body.bytes()))
    }

    private func part(type: String, content: [UInt8], into out: inout [UInt8]) {
        out += Array("\r\n--\(boundary)\r\nContent-Type: \(type)\r\n".utf8)
        if Self.is8Bit(content) { out += Array("Content-Transfer-Encoding: 8bit\r\n".utf8) }
        out += [13, 10]
        out += content
    }

    static func is8Bit(_ bytes: some Collection<UInt8>) -> Bool { bytes.contains { $0 >= 0x80 } }
}
