import InternetMessage

/// What a submission server mends in the header of our own users' mail (RFC 6409 §8), before it is signed.
enum SubmittedHeader {
    /// Adds `Date` and `Message-ID` where they are missing (RFC 5322 §3.6, RFC 6409 §8.2 and §8.3), and removes `Bcc`:
    /// a client that left it in meant the recipients not to see it (RFC 5322 §3.6.3; Postfix's `message_drop_headers`).
    /// - Parameter time: seconds since 1970.
    static func complete(_ header: inout MessageHeader, id: String, hostname: String, time: Int64) {
        header.fields.removeAll { $0.isNamed("Bcc") || $0.isNamed("Resent-Bcc") }
        if header.first("Message-ID") == nil { header.fields.insert(HeaderField(name: "Message-ID", value: "<\(id)@\(hostname)>"), at: 0) }
        if header.first("Date") == nil { header.fields.insert(HeaderField(name: "Date", value: MailDate(unixTime: time).description), at: 0) }
    }
}
