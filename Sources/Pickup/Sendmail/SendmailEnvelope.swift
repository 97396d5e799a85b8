import InternetMessage
import NetworkAddress
import SMTPCore

/// Makes the envelope of a message that `sendmail` was given.
public struct SendmailEnvelope: Sendable {
    public enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// Exit status 64 (EX_USAGE).
        case noRecipients(isFromHeader: Bool)
        /// Exit status 65 (EX_DATAERR).
        case badAddress(String)

        public var description: String {
            switch self {
            case .noRecipients(isFromHeader: false): "Recipient addresses must be specified on the command line or via the -t option"
            case .noRecipients(isFromHeader: true): "No recipient addresses found in message header"
            case .badAddress(let text): "bad address syntax: \(text)"
            }
        }
    }

    /// What is put behind an address without a domain: Postfix's `myorigin`.
    let origin: EmailAddress.Domain
    /// Who calls: the sender where none is named.
    let userName: String

    public init(origin: DomainName, userName: String) {
        self.origin = .name(origin)
        self.userName = userName
    }

    /// - Parameter header: the message's, for `-t`.
    /// - Throws: ``Failure``.
    public func envelope(_ arguments: SendmailArguments, header: MessageHeader) throws(Failure) -> DropEnvelope {
        var recipients: [EmailAddress] = []
        for word in arguments.recipients { recipients += try addresses(in: Array(word.utf8)) }
        if arguments.takesRecipientsFromHeader {
            for field in Self.recipientFields(header) { recipients += try addresses(in: Array(field.rawValue)) }
        }
        var seen = Set<EmailAddress>()
        recipients = recipients.filter { seen.insert($0).inserted }
        guard !recipients.isEmpty else { throw .noRecipients(isFromHeader: arguments.takesRecipientsFromHeader) }
        let parameters = arguments.notify.map { ["NOTIFY": $0] } ?? [:]
        return DropEnvelope(sender: try sender(arguments.sender), senderParameters: Self.parameters(arguments),
                            recipients: recipients.map { .init($0, parameters: parameters) }, fullName: arguments.fullName)
    }

    /// `Resent-To` and its like alone, where the message was sent again (RFC 5322 §3.6.6), as with Postfix.
    private static func recipientFields(_ header: MessageHeader) -> [HeaderField] {
        let isResent = header.fields.contains { $0.name.lowercased().hasPrefix("resent-") }
        let names = ["To", "Cc", "Bcc"].map { isResent ? "Resent-" + $0 : $0 }
        return header.fields.filter { field in names.contains { field.isNamed($0) } }
    }

    private static func parameters(_ arguments: SendmailArguments) -> [String: String] {
        var out: [String: String] = [:]
        out["RET"] = arguments.returnContent
        out["BODY"] = arguments.body
        out["ENVID"] = arguments.envelopeID.map(Xtext.encode)
        return out
    }

    private func sender(_ text: String?) throws(Failure) -> EmailAddress? {
        guard let text else { return EmailAddress(localPart: userName, domain: origin) }
        if text.isEmpty || text == "<>" { return nil }
        let found = try addresses(in: Array(text.utf8))
        guard found.count == 1 else { throw .badAddress(text) }
        return found[0]
    }

    /// A list, as the header has it.
    private func addresses(in text: [UInt8]) throws(Failure) -> [EmailAddress] {
        let list = AddressList.parse(text, allowsBareNames: true)
        guard list.isWellFormed else { throw .badAddress(String(decoding: text.prefix(200), as: UTF8.self)) }
        var out: [EmailAddress] = []
        for mailbox in list.mailboxes {
            guard let address = LocalAddress.complete(mailbox, origin: origin) else { throw .badAddress(mailbox.localPart) }
            out.append(address)
        }
        return out
    }
}

/// An address that may lack its domain, as mail made on one machine has it: `root`.
enum LocalAddress {
    static func complete(_ mailbox: AddressList.Mailbox, origin: EmailAddress.Domain) -> EmailAddress? {
        if !mailbox.domain.isEmpty { return mailbox.address }
        // Through the parser, which knows what a local part may be.
        return EmailAddress(EmailAddress(localPart: mailbox.localPart, domain: origin).description)
    }
}
