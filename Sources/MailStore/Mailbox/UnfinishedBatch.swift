#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Several files that come into a folder together or not at all (RFC 9051 §6.4.7, RFC 3502 §6.3.11). A file system shows
/// them one after the other; a note in `tmp` says, while that goes on, which ones they are, so that whoever opens the
/// folder after a crash takes back what was shown. Nobody has been told of them by then.
struct UnfinishedBatch: ~Copyable {
    private static let suffix = ".batch"
    private let path: String?

    /// - Parameter names: the unique parts of the files' names, before the first comma. One file needs no note. Durable.
    init(_ names: [String], in paths: MailboxPaths, uniqueName: String) throws(StoreError) {
        guard names.count > 1 else {
            path = nil
            return
        }
        let path = paths.tmp + "/" + uniqueName + Self.suffix
        try Files.replace(path, with: Array((DotLock.holder + "\n" + names.map { $0 + "\n" }.joined()).utf8))
        self.path = path
    }

    /// All of them are there.
    consuming func finish() { if let path { unlink(path) } }

    /// Takes back what a process that is gone did not finish.
    static func undo(in paths: MailboxPaths) throws(StoreError) {
        for name in try Files.names(in: paths.tmp) where name.hasSuffix(suffix) {
            let path = paths.tmp + "/" + name
            guard let text = try Files.contents(path), let end = text.firstIndex(of: 10), DotLock.isGone(holder: text[..<end]) else { continue }
            let members = Set(text[(end + 1)...].split(separator: 10).map { String(decoding: $0, as: UTF8.self) })
            for folder in [paths.cur, paths.new, paths.tmp] {
                for file in try Files.fileNames(in: folder) where members.contains(String(file.prefix { $0 != "," })) { unlink(folder + "/" + file) }
                try Files.syncFolder(folder)
            }
            unlink(path)
        }
    }
}
