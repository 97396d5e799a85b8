import IMAPCore
import InternetMessage
import MailStore

/// A message as SEARCH sees it. What its file holds is read only when a key asks.
final class SearchCandidate: SearchableMessage {
    private let message: StoredMessage
    private let view: MailboxView
    private let mailbox: Mailbox
    private let index: SearchIndex
    let sequenceNumber: UInt32
    private var details: MessageDetails?
    private var content: MessageContent?
    /// How often header or content were asked for.
    private(set) var reads = 0
    /// Inside: nil when the index has none.
    private var summary: MessageHeader??

    init(index: Int, message: StoredMessage, view: MailboxView, mailbox: Mailbox, known: SearchIndex) {
        self.index = known
        self.message = message
        self.view = view
        self.mailbox = mailbox
        sequenceNumber = UInt32(index + 1)
    }

    var uid: UInt32 { message.uid }
    var isRecent: Bool { view.recent.contains(message.uid) }
    var internalDate: MailDate { .local(loadDetails()?.internalDate ?? 0) }
    var size: Int { loadDetails()?.size ?? 0 }
    var modSequence: UInt64 { message.modSequence }
    var saveDate: MailDate? { message.saveDate.map(MailDate.local) }
    func emailID() throws -> String { try load().file.emailID() }
    func hasFlag(_ flag: Flag) -> Bool { view.flags(of: message).contains(flag) }
    func header() throws -> MessageHeader { try load().header() }
    func withContent<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R { try load().bytes().withUnsafeBytes(body) }

    func fields(_ name: String) throws -> [HeaderField] {
        if content == nil, IMAPSummarizer.fields.contains(name.lowercased()) {
            if summary == nil { summary = .some(index.summaries.header(of: uid)) }
            if case .some(.some(let header)) = summary {
                reads += 1
                return header.all(name)
            }
        }
        return try header().all(name)
    }

    func mayContain(_ text: SearchNeedle, in place: SearchPlace) -> Bool {
        index.texts?.mayContain(text.pattern, in: place == .header ? .header : .body, uid: uid) ?? true
    }

    private func loadDetails() -> MessageDetails? {
        if details == nil { details = index.details(of: message.uid) }
        return details
    }

    private func load() throws(StoreError) -> MessageContent {
        reads += 1
        if let content { return content }
        let made = MessageContent(try mailbox.open(uid: message.uid))
        content = made
        return made
    }
}

/// What one search asks of the folder's index.
final class SearchIndex {
    /// Details and summaries read at once.
    private let piece: Int
    let summaries: SummaryReader
    /// nil: only the files tell.
    private(set) lazy var texts: IndexedTexts? = mailbox.indexedTexts()
    private let mailbox: Mailbox
    private let view: MailboxView
    private var details: [UInt32: MessageDetails] = [:]
    private var covered: ClosedRange<UInt32>?

    /// - Parameter piece: 1 for messages that do not lie together.
    init(_ mailbox: Mailbox, _ view: MailboxView, piece: Int = 4096) {
        self.mailbox = mailbox
        self.view = view
        self.piece = piece
        summaries = SummaryReader(mailbox, view, piece: min(piece, SummaryReader.piece))
    }

    /// Read for many messages at once: they are asked in ascending order.
    func details(of uid: UInt32) -> MessageDetails? {
        if covered?.contains(uid) != true, let index = view.index(ofUID: uid) {
            let uids = view.messages[index..<min(index + piece, view.messages.count)].map(\.uid)
            covered = uid...(uids.last ?? uid)
            details = Dictionary(((try? mailbox.details(of: uids)) ?? []).map { ($0.uid, $0) }, uniquingKeysWith: { $1 })
        }
        return details[uid]
    }
}
