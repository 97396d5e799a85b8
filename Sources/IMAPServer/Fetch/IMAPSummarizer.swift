import IMAPCore
import InternetMessage
import MailStore

/// What IMAP asks of many messages at once, kept in the store's index.
public struct IMAPSummarizer: MessageSummarizer {
    public let version = 2

    /// Larger messages are read when something is asked of them: an index is filled while others wait for memory.
    private static let largestMessage = 16 << 20
    /// A message with more text in it is read for each search. Octets, of header and body each.
    private let mostText: Int
    /// A longer header is no summary any more.
    private static let mostHeader = 16 << 10
    /// Fields kept: those of ENVELOPE, THREAD and SORT, and what clients ask for beside them to draw a list.
    static let fields: Set<String> = [
        "date", "subject", "from", "sender", "reply-to", "to", "cc", "bcc", "in-reply-to", "message-id", "references", "content-type", "x-priority", "priority",
        "importance", "list-id", "list-post", "newsgroups", "resent-date", "resent-from", "x-spam-flag", "x-spam-status",
    ]

    public init(mostText: Int = 512 << 10) { self.mostText = mostText }

    public func summary(of file: MessageFile) throws -> MessageSummary {
        var summary = MessageSummary()
        guard file.physicalSize <= Self.largestMessage else { return summary }
        let content = MessageContent(file)
        let header = try content.header()
        MessageHeader(header.fields.filter { Self.fields.contains($0.name.lowercased()) }).serialize(into: &summary.header)
        // RFC 5322 fields never end a header early, so an empty one here means none or too many.
        if summary.header.count > Self.mostHeader { summary.header = [] }
        let structure = try content.structure()
        try content.bytes().withUnsafeBytes { raw in
            var writer = ResponseWriter()
            Envelope(header).encode(into: &writer)
            summary.envelope = writer.take()
            BodyStructure.encode(structure, of: raw, extended: true, into: &writer)
            summary.structure = writer.bytes
            summary.isWhole = texts(header, structure, raw, into: &summary)
        }
        return summary
    }

    /// - Returns: false when there is more than the index takes.
    private func texts(_ header: MessageHeader, _ structure: MIMEPart, _ raw: UnsafeRawBufferPointer, into summary: inout MessageSummary) -> Bool {
        for field in header.fields {
            let whole = SearchableTexts.wholeField(field), value = SearchableTexts.value(of: field)
            summary.headerText += whole
            summary.headerText.append(10)
            if !whole.suffix(value.count).elementsEqual(value) {
                summary.headerText += value
                summary.headerText.append(10)
            }
            let addresses = SearchableTexts.addresses(of: field)
            if !addresses.isEmpty { summary.headerText += addresses + [10] }
            guard summary.headerText.count <= mostText else { return false }
        }
        return !SearchableTexts.anyInBody(raw, structure) { text in
            guard summary.bodyText.count + text.count <= mostText else { return true }
            summary.bodyText += text
            summary.bodyText.append(10)
            return false
        }
    }
}

/// Summaries of messages that are asked for in ascending order, read from the index in pieces.
final class SummaryReader {
    static let piece = 256

    private let piece: Int
    private let mailbox: Mailbox
    private let view: MailboxView
    private var found: [UInt32: IndexedSummary] = [:]
    private var covered: ClosedRange<UInt32>?

    init(_ mailbox: Mailbox, _ view: MailboxView, piece: Int = SummaryReader.piece) {
        self.piece = piece
        self.mailbox = mailbox
        self.view = view
    }

    /// nil: to be found in the file.
    func summary(of uid: UInt32) -> IndexedSummary? {
        if covered?.contains(uid) != true { read(from: uid) }
        return found[uid]
    }

    /// The fields of the summary, all that it has of each kept name; nil: to be found in the file.
    func header(of uid: UInt32) -> MessageHeader? {
        guard let summary = summary(of: uid), !summary.header.isEmpty else { return nil }
        return MessageHeader.parse(summary.header[...]).header
    }

    private func read(from uid: UInt32) {
        guard let index = view.index(ofUID: uid) else { return }
        let last = view.messages[min(index + piece - 1, view.messages.count - 1)].uid
        covered = uid...last
        found = mailbox.summaries(uid...last)
    }
}
