import IMAPCore
import InternetMessage
import MailStore

/// A message as SEARCH sees it. What its file holds is read only when a key asks.
final class SearchCandidate: SearchableMessage {
    private let message: StoredMessage
    private let view: MailboxView
    private let mailbox: Mailbox
    let sequenceNumber: UInt32
    private var details: MessageDetails?
    private var content: MessageContent?

    init(index: Int, message: StoredMessage, view: MailboxView, mailbox: Mailbox) {
        self.message = message
        self.view = view
        self.mailbox = mailbox
        sequenceNumber = UInt32(index + 1)
    }

    var uid: UInt32 { message.uid }
    var isRecent: Bool { view.recent.contains(message.uid) }
    var internalDate: MailDate { MailDate(unixTime: loadDetails()?.internalDate ?? 0) }
    var size: Int { loadDetails()?.size ?? 0 }
    func hasFlag(_ flag: Flag) -> Bool { view.flags(of: message).contains(flag) }
    func header() throws -> MessageHeader { try load().header() }
    func withContent<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R { try load().bytes().withUnsafeBytes(body) }

    private func loadDetails() -> MessageDetails? {
        if details == nil { details = try? mailbox.details(of: [message.uid]).first }
        return details
    }

    private func load() throws(StoreError) -> MessageContent {
        if let content { return content }
        let made = MessageContent(try mailbox.open(uid: message.uid))
        content = made
        return made
    }
}
