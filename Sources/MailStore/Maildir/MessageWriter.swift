#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A message on its way into a folder: a file in `tmp` that nobody sees until it is committed. Dropping the writer
/// without committing removes the file.
public struct MessageWriter: ~Copyable {
    private let paths: MailboxPaths
    private let temporary: String
    let uniqueName: String
    private var lines: LineEndWriter
    private var finished = false

    /// - Parameter size: what is expected, to choose the buffer; any estimate does.
    init(paths: MailboxPaths, uniqueName: String, expecting size: Int) throws(StoreError) {
        self.paths = paths
        self.uniqueName = uniqueName
        temporary = paths.tmp + "/" + uniqueName
        lines = LineEndWriter(descriptor: try Files.open(temporary, O_WRONLY | O_CREAT | O_EXCL), path: temporary, expecting: size)
    }

    deinit { if !finished { unlink(temporary) } }

    /// Octets so far, with CRLF line ends.
    public var count: Int { lines.virtual }

    /// Takes the next octets; CRLF and LF line ends alike. Blocks.
    public mutating func append(_ bytes: [UInt8]) throws(StoreError) { try lines.append(bytes) }
    public mutating func append(_ raw: UnsafeRawBufferPointer) throws(StoreError) { try lines.append(raw) }

    /// Makes the file durable and names it, in `new` or, when it has flags or keywords, in `cur`. The folder is not
    /// fsynced yet.
    mutating func place(flags: MessageFlags, keywordBits: UInt32, internalDate: Int64?) throws(StoreError) -> PlacedFile {
        try lines.finish(modified: internalDate)
        let name = MaildirFileName(base: "\(uniqueName),S=\(lines.physical),W=\(lines.virtual)", flags: flags, keywords: keywordBits)
        let isNew = flags.isEmpty && keywordBits == 0
        let folder = isNew ? paths.new : paths.cur
        let path = folder + "/" + (isNew ? name.base : name.nameInCur)
        try Files.rename(temporary, to: path)
        finished = true
        return PlacedFile(base: name.base, path: path, folder: folder, size: lines.virtual)
    }
}

/// A file that has its final name.
struct PlacedFile: Sendable {
    let base: String
    let path: String
    let folder: String
    let size: Int
}
