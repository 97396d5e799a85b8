import InternetMessage
import Synchronization

/// The mail of all accounts, as Maildir++ under `<root>/<account>/Maildir`, in Dovecot's own format: other programs can
/// read, write and take it over at any time. Every method blocks on files: call them on the blocking pool. Thread-safe.
public final class MailStore: Sendable {
    let root: String
    private let syncs = FolderSync()
    private let uniqueNames = UniqueName()
    private let indexes: MailIndexes?
    private let watcher = FolderWatcher()
    private let recent = RecentMailboxes()
    let limitInForce = LimitInForce()
    private let accounts = Mutex<[String: WeakMailboxes]>([:])

    /// Folders with fewer messages are read quicker than an index is opened.
    public static let smallestIndexed = 64

    /// - Parameters:
    ///   - root: an existing folder, or one that can be made in an existing folder.
    ///   - summarizer: what indexes hold; without one there are none, and whatever is asked is read from the files.
    ///   - smallestIndexed: folders with fewer messages have no index.
    public init(root: String, summarizer: (any MessageSummarizer)? = nil, smallestIndexed: Int = MailStore.smallestIndexed) throws(StoreError) {
        self.root = root
        indexes = summarizer.map { MailIndexes(summarizer: $0, smallest: smallestIndexed) }
        try Files.makeFolder(root)
    }

    deinit { recent.end() }

    /// An account's folders, made on first use. The same object for everybody who asks while it is in use. Blocks.
    /// - Throws: ``StoreError/invalidName(_:reason:)`` for an account name that is no safe file name.
    public func maildir(for account: String) throws(StoreError) -> Mailboxes {
        let name = try Self.safeName(account)
        if let known = accounts.withLock({ $0[name]?.mailboxes }) { return known }
        let folder = root + "/" + name
        try Files.makeFolder(folder)
        let made = try Mailboxes(root: folder + "/Maildir", syncs: syncs, uniqueNames: uniqueNames, indexes: indexes, watcher: watcher, recent: recent, limit: limitInForce)
        return accounts.withLock { table in
            if let known = table[name]?.mailboxes { return known }
            if table.count > 1024 { table = table.filter { $0.value.mailboxes != nil } }
            table[name] = WeakMailboxes(mailboxes: made)
            return made
        }
    }

    /// Where an account's Maildir is.
    public func maildirPath(of account: String) -> String { root + "/" + account + "/Maildir" }

    /// Stores a message, durably: file written and fsynced, renamed into place, folder fsynced. Blocks.
    /// - Parameters:
    ///   - prepending: fields for this recipient alone, on top (`Return-Path`, `Delivered-To`).
    ///   - folder: nil for the inbox; a folder that does not exist is made.
    ///   - keywords: IMAP keywords; with flags or keywords the message is not `\Recent`.
    public func deliver(
        _ message: Message, prepending: [HeaderField] = [], to account: String, folder: String? = nil,
        keywords: Set<String> = [], flags: MessageFlags = []
    ) throws(StoreError) -> DeliveredFile {
        let mailboxes = try maildir(for: account)
        try mailboxes.checkRoom(for: message.byteCount)
        var name = FolderName.inbox
        if let folder { name = try FolderName(folder) }
        return try mailboxes.deliver(Delivery(message: message, prepending: prepending, flags: flags, keywords: keywords), to: name)
    }

    /// Account names are folded and must be one plain path component.
    static func safeName(_ account: String) throws(StoreError) -> String {
        let name = account.lowercased()
        func refuse(_ reason: String) -> StoreError { .invalidName(String(account.prefix(80)), reason: reason) }
        guard !name.isEmpty, name.utf8.count <= 255 else { throw refuse("it must have 1 to 255 octets") }
        guard !name.hasPrefix(".") else { throw refuse("it must not begin with a dot") }
        guard !name.utf8.contains(where: { $0 == 47 || $0 < 32 || $0 == 127 }) else { throw refuse("it has a slash or a control character") }
        return name
    }
}

private struct WeakMailboxes: Sendable {
    weak var mailboxes: Mailboxes?
}
