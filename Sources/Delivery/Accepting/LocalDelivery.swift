import InternetMessage
import MailQueue
import MailStore

/// Final delivery into an account (RFC 5321 §4.4): the trace fields Postfix adds, then the store.
struct LocalDelivery: Sendable {
    let store: MailStore

    enum Failure: Error, Sendable, Hashable {
        case permanent(status: String, text: String)
        case temporary(status: String, text: String)

        var status: String { switch self { case .permanent(let status, _), .temporary(let status, _): status } }
        var text: String { switch self { case .permanent(_, let text), .temporary(_, let text): text } }
        /// The mailbox is full: RFC 5321 §4.2.2's 452 and 552.
        var isFull: Bool { status.hasSuffix(".2.2") }
        func reply(_ recipient: EmailAddress) -> SMTPReply {
            let code = isPermanent ? (isFull ? 552 : 550) : isFull ? 452 : 451
            return SMTPReply(code, status, "<\(recipient)>: \(isPermanent || isFull ? text : "cannot be stored now")")
        }

        var isPermanent: Bool { if case .permanent = self { true } else { false } }
    }

    /// Stores one copy, durably. Blocks.
    func deliver(_ message: Message, from sender: EmailAddress?, to recipient: QueueRecipient, _ place: LocalDestination) throws(Failure) -> DeliveredFile {
        try checkLoop(message, recipient.address)
        do throws(StoreError) {
            return try store.deliver(Self.withoutReturnPath(message), prepending: Self.trace(sender, recipient), to: place.account,
                                     folder: place.folder, keywords: place.keywords, flags: MessageFlags(rawValue: place.flags))
        } catch {
            if error.isPermanent { throw .permanent(status: error.isOutOfSpace ? "5.2.2" : "5.2.0", text: error.description) }
            throw .temporary(status: error.isOutOfSpace ? "4.2.2" : "4.3.0", text: error.description)
        }
    }

    /// `Return-Path`, `X-Original-To` and `Delivered-To`, in Postfix's order.
    static func trace(_ sender: EmailAddress?, _ recipient: QueueRecipient) -> [HeaderField] {
        [HeaderField(name: "Return-Path", value: "<\(sender?.description ?? "")>"),
         HeaderField(name: "X-Original-To", value: recipient.original.description),
         HeaderField(name: "Delivered-To", value: recipient.address.description)]
    }

    /// Only the final delivery says Return-Path; one that came along is not to be believed (RFC 5321 §4.4).
    private static func withoutReturnPath(_ message: Message) -> Message {
        guard message.header.first("Return-Path") != nil else { return message }
        var out = message
        out.header.fields.removeAll { $0.isNamed("Return-Path") }
        return out
    }

    /// Whether this address has had a copy before, which came back through a forwarding (as Postfix's local and virtual check).
    static func isBack(_ message: Message, at address: EmailAddress) -> Bool {
        message.header.all("Delivered-To").contains { EmailAddress($0.value)?.folded == address.folded }
    }

    private func checkLoop(_ message: Message, _ address: EmailAddress) throws(Failure) {
        if Self.isBack(message, at: address) { throw .permanent(status: "5.4.6", text: "mail forwarding loop for \(address)") }
    }
}
