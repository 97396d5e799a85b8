import InternetMessage

/// The header of a message made on this machine, completed as Postfix's cleanup(8) does.
public struct LocalHeader: Sendable {
    public var id: String
    public var hostname: String
    /// What an address without a domain gets: Postfix's `myorigin`.
    public var origin: EmailAddress.Domain
    public var sender: EmailAddress?
    public var fullName: String?
    public var userID: UInt32
    /// Seconds since 1970.
    public var time: Int64

    public init(id: String, hostname: String, origin: EmailAddress.Domain, sender: EmailAddress?, fullName: String?, userID: UInt32, time: Int64) {
        self.id = id
        self.hostname = hostname
        self.origin = origin
        self.sender = sender
        self.fullName = fullName
        self.userID = userID
        self.time = time
    }

    /// Fields of authors and recipients, whose bare names get a domain.
    private static let addressFields = ["From", "Sender", "Reply-To", "To", "Cc", "Resent-From", "Resent-Sender", "Resent-Reply-To", "Resent-To", "Resent-Cc"]
    /// `message_drop_headers`
    private static let dropped = ["Bcc", "Resent-Bcc", "Return-Path", "Content-Length"]

    public func complete(_ header: inout MessageHeader) {
        header.fields.removeAll { field in Self.dropped.contains { field.isNamed($0) } }
        for index in header.fields.indices where Self.addressFields.contains(where: { header.fields[index].isNamed($0) }) {
            header.fields[index] = AddressCompletion.complete(header.fields[index], origin: origin)
        }
        let resent = header.fields.contains { $0.name.lowercased().hasPrefix("resent-") } ? "Resent-" : ""
        add("To", "undisclosed-recipients:;", to: &header, unless: ["To", "Cc", "Resent-To", "Resent-Cc"])
        add(resent + "From", author, to: &header)
        add(resent + "Date", MailDate(unixTime: time).description, to: &header)
        add(resent + "Message-ID", "<\(id)@\(hostname)>", to: &header)
        let received = "by \(hostname) (Postern, from userid \(userID))\r\n\tid \(id); \(MailDate(unixTime: time))"
        header.fields.insert(HeaderField(name: "Received", value: received), at: 0)
    }

    private func add(_ name: String, _ value: String, to header: inout MessageHeader, unless present: [String]? = nil) {
        guard !(present ?? [name]).contains(where: { header.first($0) != nil }) else { return }
        header.fields.insert(HeaderField(name: name, value: value), at: 0)
    }

    private var author: String {
        let address = sender ?? EmailAddress(localPart: "MAILER-DAEMON", domain: origin)
        // A name that needs encoding is left out rather than guessed at.
        guard let fullName, !fullName.isEmpty, fullName.utf8.allSatisfy({ $0 >= 32 && $0 < 127 }) else { return address.description }
        return AddressCompletion.phrase(Array(fullName.utf8)) + " <\(address)>"
    }
}

/// Gives `root` and its like a domain, in the header field of a message made here.
enum AddressCompletion {
    /// The field as it was unless an address in it lacks its domain.
    static func complete(_ field: HeaderField, origin: EmailAddress.Domain) -> HeaderField {
        let list = AddressList.parse(field.rawValue, allowsBareNames: true)
        guard list.isWellFormed, list.mailboxes.contains(where: { $0.domain.isEmpty }) else { return field }
        let entries = list.entries.map { entry in
            switch entry {
            case .mailbox(let mailbox): text(mailbox, origin)
            case .group(let name, let members): phrase(name) + ": " + members.map { text($0, origin) }.joined(separator: ", ") + ";"
            }
        }
        return HeaderField(name: field.name, value: entries.joined(separator: ",\r\n\t"))
    }

    private static func text(_ mailbox: AddressList.Mailbox, _ origin: EmailAddress.Domain) -> String {
        let address = LocalAddress.complete(mailbox, origin: origin)?.description ?? mailbox.localPart + "@" + mailbox.domain
        guard let name = mailbox.name, !name.isEmpty else { return address }
        return phrase(name) + " <\(address)>"
    }

    /// As it is where it is words and encoded words, else quoted (RFC 5322 §3.2.5).
    static func phrase(_ name: [UInt8]) -> String {
        let text = String(decoding: name, as: UTF8.self)
        let isPlain = name.allSatisfy { byte in
            byte == 32 || byte >= 0x80 || (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
        }
        if isPlain { return text }
        return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
