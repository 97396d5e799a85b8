#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Compares what an account's Maildir holds with what lists and index say of it, and repairs what can be. The files are
/// the truth; nothing that could be mail is ever removed. Programs may work on the Maildir meanwhile.
public struct AccountCheck {
    /// Programs write into `tmp` for much less than this, by the format's own rule.
    public static let unfinishedAfterSeconds = 36 * 3600

    let account: String
    let mailboxes: Mailboxes
    let repairs: Bool
    let summarizer: (any MessageSummarizer)?
    private(set) var findings: [StoreFinding] = []

    /// - Parameters:
    ///   - repairs: whether to repair what is found.
    ///   - summarizer: the maker of the index, to compare it with the messages; nil: it is left alone.
    public init(account: String, in store: MailStore, repairs: Bool, summarizer: (any MessageSummarizer)?) throws(StoreError) {
        self.account = account
        self.repairs = repairs
        self.summarizer = summarizer
        mailboxes = try store.maildir(for: account)
    }

    /// - Parameter progress: told after each message that is compared, with the folder's name.
    public mutating func run(progress: (String, Int) -> Void = { _, _ in }) throws(StoreError) -> [StoreFinding] {
        try checkTree()
        try checkSubscriptions()
        var indexes: Set<String> = []
        for name in [FolderName.inbox] + (try mailboxes.list().filter { $0.exists && !$0.name.isInbox }.map(\.name)) {
            var check = FolderCheck(name: name, paths: mailboxes.paths(name), validities: UIDValidities(folder: mailboxes.root), repairs: repairs)
            try check.run()
            findings += check.findings.map { finding(name.description, $0.kind, $0.text, $0.state) }
            if let path = check.indexPath(in: mailboxes) { indexes.insert(path) }
            guard let summarizer else { continue }
            let found = try IndexCheck(mailbox: mailboxes.mailbox(name), summarizer: summarizer, repairs: repairs).run { progress(name.description, $0) }
            findings += found.map { finding(name.description, .index, $0, repairs ? .repaired : .repairable) }
        }
        checkIndexes(wanted: indexes)
        return findings
    }

    private func finding(_ folder: String, _ kind: StoreFinding.Kind, _ text: String, _ state: StoreFinding.State) -> StoreFinding {
        StoreFinding(account: account, folder: folder, kind: kind, text: text, state: state)
    }

    private mutating func note(_ folder: String, _ kind: StoreFinding.Kind, _ text: String, repair: (() throws(StoreError) -> Void)?) throws(StoreError) {
        if repairs, let repair {
            try repair()
            findings.append(finding(folder, kind, text, .repaired))
        } else { findings.append(finding(folder, kind, text, repair == nil ? .left : .repairable)) }
    }

    /// Folders that no client can see.
    private mutating func checkTree() throws(StoreError) {
        for name in try Files.names(in: mailboxes.root).sorted() where name.hasPrefix(".") {
            let path = mailboxes.root + "/" + name
            if name.hasPrefix("..deleted-") {
                guard try FileStamp.of(path).isOlder(than: Self.unfinishedAfterSeconds) else { continue }
                try note("", .unfinished, "\(name) is a folder whose deletion was not finished") { () throws(StoreError) in try Files.removeTree(path) }
                continue
            }
            guard Files.isFolder(path) else {
                if Files.kind(path) == .link { try note(name, .folder, "\(path) is a symbolic link: it is not followed", repair: nil) }
                continue
            }
            guard let folder = FolderName(storageName: name), !folder.isInbox else {
                try note(name, .folder, "\(name) cannot be shown: its name is no modified UTF-7, or has an empty level; rename it", repair: nil)
                continue
            }
            let paths = MailboxPaths(folder: path)
            let missing = [paths.cur, paths.new, paths.tmp].filter { !Files.isFolder($0) }
            guard !missing.isEmpty, missing.count < 3 else { continue }
            try note(folder.description, .folder, "\(name) lacks \(missing.map { String($0.dropFirst(path.count + 1)) }.joined(separator: " and "))") { () throws(StoreError) in
                try paths.create(isInbox: false)
            }
        }
    }

    private mutating func checkSubscriptions() throws(StoreError) {
        let path = mailboxes.root + "/subscriptions"
        let file = SubscriptionFile(parsing: try Files.contents(path) ?? [])
        let strange = file.names.filter { $0 != ["INBOX"] && FolderName(storageLevels: $0) == nil }
        guard !strange.isEmpty else { return }
        try note("", .subscriptions, "subscriptions names what is no folder name: \(strange.map { $0.joined(separator: "/") }.joined(separator: ", "))") { () throws(StoreError) in
            try DotLock.holding(path + ".lock") { () throws(StoreError) in
                var file = SubscriptionFile(parsing: try Files.contents(path) ?? [])
                for name in strange { file.set(name, subscribed: false) }
                try Files.replace(path, with: file.serialised())
            }
        }
    }

    /// Indexes of folders that are gone.
    private mutating func checkIndexes(wanted: Set<String>) {
        guard summarizer != nil, let names = try? Files.names(in: mailboxes.indexFolder) else { return }
        for name in names.sorted() where name.hasSuffix(".sqlite") && !wanted.contains(mailboxes.indexFolder + "/" + name) {
            if repairs { IndexDatabase.remove(mailboxes.indexFolder + "/" + name) }
            findings.append(finding("", .index, "index/\(name) belongs to no folder", repairs ? .repaired : .repairable))
        }
    }
}

extension FileStamp {
    func isOlder(than age: Int) -> Bool { self != .missing && time(nil) - seconds > age }
}
