#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// One folder's files, UID list and keywords.
struct FolderCheck {
    let name: FolderName
    let paths: MailboxPaths
    let validities: UIDValidities
    let repairs: Bool
    private(set) var findings: [(kind: StoreFinding.Kind, text: String, state: StoreFinding.State)] = []
    private var list: UIDList?

    init(name: FolderName, paths: MailboxPaths, validities: UIDValidities, repairs: Bool) {
        self.name = name
        self.paths = paths
        self.validities = validities
        self.repairs = repairs
    }

    mutating func run() throws(StoreError) {
        try checkTemporary()
        try checkLock()
        try checkList()
        let files = try checkFiles()
        try checkKeywords(files)
        try checkModSequences()
    }

    func indexPath(in mailboxes: Mailboxes) -> String? { list.flatMap { mailboxes.indexPath(guid: $0.guid, uidValidity: $0.uidValidity) } }

    private mutating func note(_ kind: StoreFinding.Kind, _ text: String, repair: (() throws(StoreError) -> Void)?) throws(StoreError) {
        if repairs, let repair {
            try repair()
            findings.append((kind, text, .repaired))
        } else { findings.append((kind, text, repair == nil ? .left : .repairable)) }
    }

    /// What a program that ended in the middle left behind.
    private mutating func checkTemporary() throws(StoreError) {
        var found: [String] = []
        for entry in (try? Files.names(in: paths.tmp)) ?? [] { found.append(paths.tmp + "/" + entry) }
        for entry in try Files.names(in: paths.folder) where entry.hasSuffix(".tmp") && Files.kind(paths.folder + "/" + entry) == .file { found.append(paths.folder + "/" + entry) }
        for path in found.sorted() where try FileStamp.of(path).isOlder(than: AccountCheck.unfinishedAfterSeconds) {
            let short = String(path.dropFirst(paths.folder.count + 1))
            guard Files.kind(path) == .file else {
                try note(.file, "\(short) is no file", repair: nil)
                continue
            }
            try note(.unfinished, "\(short) is an unfinished temporary file") { () throws(StoreError) in
                guard unlink(path) == 0 || errno == ENOENT else { throw Files.failure("unlink", path) }
            }
        }
    }

    private mutating func checkLock() throws(StoreError) {
        guard DotLock.isStale(paths.uidListLock) else { return }
        // Whoever comes next takes it away as well.
        try note(.unfinished, "dovecot-uidlist.lock was left by a program that is gone") { [paths] () throws(StoreError) in _ = DotLock.removeIfStale(paths.uidListLock) }
    }

    private mutating func checkList() throws(StoreError) {
        guard let bytes = try Files.contents(paths.uidList) else { return }
        do throws(UIDList.Malformed) {
            let parsed = try UIDList(parsing: bytes)
            list = parsed
            if bytes.last != 10 {
                try? note(.uidList, "the last line of dovecot-uidlist is cut short: the message that it was for gets a new UID", repair: rewriting { _ in })
            }
            let names = Dictionary(grouping: parsed.entries, by: \.name).filter { $0.value.count > 1 }
            guard !names.isEmpty else { return }
            let text = names.values.map { same in "\(same[0].base) (UIDs \(same.map { String($0.uid) }.joined(separator: ", ")))" }.sorted().joined(separator: ", ")
            try? note(.uidList, "dovecot-uidlist gives one file several UIDs: \(text); the last counts", repair: rewriting { list in
                let last = Dictionary(list.entries.map { ($0.name, $0.uid) }, uniquingKeysWith: { $1 })
                list.entries.removeAll { last[$0.name] != $0.uid }
            })
        } catch {
            let reason = error == .header ? "its first line is none" : "its UIDs do not ascend"
            try note(.uidList, "dovecot-uidlist cannot be used: \(reason). With a new UIDVALIDITY clients download the folder again") { [paths, validities] () throws(StoreError) in
                try DotLock.holding(paths.uidListLock) { () throws(StoreError) in
                    let fresh = UIDList(uidValidity: try validities.next(), guid: MailboxState.newGUID())
                    try Files.replace(paths.uidList, with: fresh.serialised())
                }
            }
        }
    }

    /// Changes the list under Dovecot's lock, as it is by then.
    private func rewriting(_ change: @escaping (inout UIDList) -> Void) -> () throws(StoreError) -> Void {
        { [paths] () throws(StoreError) in
            try DotLock.holding(paths.uidListLock) { () throws(StoreError) in
                guard let bytes = try Files.contents(paths.uidList), var list = try? UIDList(parsing: bytes) else { return }
                change(&list)
                try Files.replace(paths.uidList, with: list.serialised())
            }
        }
    }

    // MARK: Files

    private mutating func checkFiles() throws(StoreError) -> [MaildirFileName] {
        var seen: [String: (path: String, info: stat)] = [:]
        var names: [MaildirFileName] = []
        for folder in [paths.new, paths.cur] {
            for entry in try Files.names(in: folder).sorted() where !entry.hasPrefix(".") {
                let path = folder + "/" + entry
                var info = stat()
                guard lstat(path, &info) == 0 else { continue }
                guard info.st_mode & S_IFMT == S_IFREG else {
                    let kind = info.st_mode & S_IFMT == S_IFLNK ? "a symbolic link" : "no file"
                    try note(.file, "\(String(path.dropFirst(paths.folder.count + 1))) is \(kind): it is not shown", repair: nil)
                    continue
                }
                let parsed = MaildirFileName(entry)
                if let other = seen[parsed.base] { try twice(parsed, (path, info), other) } else { seen[parsed.base] = (path, info) }
                names.append(parsed)
                if let told = parsed.physicalSize, told != Int(info.st_size) { try wrongSize(parsed, path, told, info) }
            }
        }
        return names
    }

    /// Two files of one name are one message to everybody, and the other is hidden.
    private mutating func twice(_ name: MaildirFileName, _ file: (path: String, info: stat), _ other: (path: String, info: stat)) throws(StoreError) {
        let isSame = file.info.st_ino == other.info.st_ino && file.info.st_dev == other.info.st_dev
        let short = [other.path, file.path].map { String($0.dropFirst(paths.folder.count + 1)) }
        try note(.file, "\(short[0]) and \(short[1]) have one name, so that only one of them is shown" + (isSame ? "; they are the same file" : "")) { [paths] () throws(StoreError) in
            if isSame {
                guard unlink(other.path) == 0 || errno == ENOENT else { throw Files.failure("unlink", other.path) }
            } else {
                let sizes = name.base.split(separator: ",").dropFirst().map { "," + $0 }.joined()
                try Files.rename(other.path, to: paths.cur + "/" + UniqueName().next() + "r" + String(UInt32.random(in: 0...UInt32.max), radix: 16) + sizes + MaildirFileName(String(other.path.split(separator: "/").last ?? "")).info)
            }
        }
    }

    /// The size in the name is what quotas count and Dovecot believes.
    private mutating func wrongSize(_ name: MaildirFileName, _ path: String, _ told: Int, _ info: stat) throws(StoreError) {
        let short = String(path.dropFirst(paths.folder.count + 1))
        try note(.file, "\(short) has \(info.st_size) octets, but S=\(told) in its name: it was changed after it was stored, or is compressed", repair: nil)
    }

    // MARK: Keywords and mod-sequences

    private mutating func checkKeywords(_ files: [MaildirFileName]) throws(StoreError) {
        let file = KeywordFile(parsing: try Files.contents(paths.keywords) ?? [])
        let used = files.reduce(UInt32(0)) { $0 | $1.keywords }
        let nameless = (0..<26).filter { used & 1 << UInt32($0) != 0 && (file.names.count <= $0 || file.names[$0].isEmpty) }
        guard !nameless.isEmpty else { return }
        let letters = nameless.map { String(UnicodeScalar(UInt8(97 + $0))) }.joined(separator: ", ")
        try note(.keywords, "file names have keyword letters that dovecot-keywords does not name: \(letters)") { [paths] () throws(StoreError) in
            try DotLock.holding(paths.uidListLock) { () throws(StoreError) in
                var file = KeywordFile(parsing: try Files.contents(paths.keywords) ?? [])
                // Dovecot's own name for such.
                for index in nameless { file.name(index, "unknown-\(index)") }
                try Files.replace(paths.keywords, with: file.serialised())
            }
        }
    }

    private mutating func checkModSequences() throws(StoreError) {
        guard let bytes = try Files.contents(paths.modSequences), ModSequenceLog(parsing: bytes) == nil else { return }
        try note(.modSequences, "postern-modseq cannot be read or ends within a line: clients synchronise once more") { [paths] () throws(StoreError) in
            guard unlink(paths.modSequences) == 0 || errno == ENOENT else { throw Files.failure("unlink", paths.modSequences) }
        }
    }
}
