#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What only the file itself tells.
public struct MessageDetails: Sendable, Hashable {
    public let uid: UInt32
    /// Unix seconds: the file's modification time, as Dovecot keeps the internal date (RFC 3501 §2.3.3).
    public let internalDate: Int64
    /// Octets with CRLF line ends (RFC 3501 §2.3.4).
    public let size: Int
}

/// An open message. It stays readable when the message is expunged or renamed meanwhile.
public final class MessageFile: Sendable {
    private let descriptor: Int32
    let path: String
    /// Octets in the file, line ends as they are there.
    public let physicalSize: Int
    public let internalDate: Int64

    init(path: String) throws(StoreError) {
        // Not waiting, should a pipe stand there.
        let descriptor = try Files.open(path, O_RDONLY | O_NONBLOCK)
        var info = stat()
        guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            let failure = Files.failure("fstat", path)
            close(descriptor)
            throw failure
        }
        self.descriptor = descriptor
        self.path = path
        physicalSize = Int(info.st_size)
        internalDate = Int64(info.st_mtim.tv_sec)
    }

    deinit { close(descriptor) }

    /// A reader that begins at the first octet. Several may be in use at once.
    public func reader() -> MessageReader { MessageReader(file: self) }

    /// The whole message with CRLF line ends, cut off after `limit` octets. Blocks.
    public func bytes(limit: Int = .max) throws(StoreError) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(min(limit, physicalSize + physicalSize / 30))
        var reader = reader()
        while out.count < limit, let chunk = try reader.next(atMost: limit - out.count) { out += chunk }
        return out
    }

    /// Octets with CRLF line ends, by reading the file. Blocks.
    func countVirtualSize() throws(StoreError) -> Int {
        var size = 0
        var reader = reader()
        while let chunk = try reader.next() { size += chunk.count }
        return size
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StoreError) -> Int {
        while true {
            let got = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw Files.failure("read", path) }
            return got
        }
    }
}

/// Walks through a message in bounded pieces with CRLF line ends, whatever the file has.
public struct MessageReader: Sendable {
    public static let pieceSize = 1 << 16

    private let file: MessageFile
    private var offset = 0
    private var last: UInt8 = 0
    /// Converted but not given out yet.
    private var rest: ArraySlice<UInt8> = []
    /// Octets given out or skipped so far.
    public private(set) var position = 0

    init(file: MessageFile) { self.file = file }

    /// The next piece, never empty; nil at the end. Blocks.
    public mutating func next(atMost limit: Int = MessageReader.pieceSize) throws(StoreError) -> [UInt8]? {
        if rest.isEmpty { try fill() }
        guard !rest.isEmpty, limit > 0 else { return nil }
        let piece = Array(rest.prefix(limit))
        rest = rest.dropFirst(piece.count)
        position += piece.count
        return piece
    }

    /// Moves forward to an offset counted with CRLF line ends; stops at the end of the message. Blocks.
    public mutating func skip(to target: Int) throws(StoreError) {
        while position < target {
            if rest.isEmpty { try fill() }
            guard !rest.isEmpty else { return }
            let step = min(target - position, rest.count)
            rest = rest.dropFirst(step)
            position += step
        }
    }

    private mutating func fill() throws(StoreError) {
        var raw = [UInt8](repeating: 0, count: min(Self.pieceSize, max(file.physicalSize - offset, 1)))
        let result = raw.withUnsafeMutableBytes { buffer -> Result<Int, StoreError> in
            do throws(StoreError) { return .success(try file.read(into: buffer, at: offset)) } catch { return .failure(error) }
        }
        let got = try result.get()
        offset += got
        rest = convert(raw[..<got])
    }

    private mutating func convert(_ raw: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var out: [UInt8] = []
        out.reserveCapacity(raw.count + raw.count / 16 + 16)
        var begin = raw.startIndex
        while let feed = raw[begin...].firstIndex(of: 10) {
            out += raw[begin..<feed]
            let before = feed > raw.startIndex ? raw[feed - 1] : last
            if before != 13 { out.append(13) }
            out.append(10)
            begin = feed + 1
        }
        out += raw[begin...]
        if let end = raw.last { last = end }
        return out[...]
    }
}

extension Mailbox {
    /// Opens a message for reading. Blocks.
    /// - Throws: ``StoreError/noSuchMessage(uid:)`` when it is gone.
    public func open(uid: UInt32) throws(StoreError) -> MessageFile {
        try changing { state throws(StoreError) in try state.open(uid: uid) }
    }

    /// Internal dates and sizes, in the order of the UIDs; messages that are gone are left out. Found once, in the index
    /// or in the files, then kept. Blocks.
    public func details(of uids: [UInt32]) throws(StoreError) -> [MessageDetails] {
        try changing { state throws(StoreError) in
            state.takeDetails(of: uids, from: { index(for: $0) })
            var out: [MessageDetails] = []
            out.reserveCapacity(uids.count)
            for uid in uids {
                if let details = try state.details(of: uid) { out.append(details) }
            }
            return out
        }
    }
}

extension MailboxState {
    /// One look into the index for many messages; a few are found as quickly in their files.
    mutating func takeDetails(of uids: [UInt32], from index: (MailboxSnapshot) -> MessageIndex?) {
        guard uids.count > 8, let low = uids.min(), let high = uids.max(), uids.contains(where: { details[$0] == nil }), let found = index(snapshot) else { return }
        for one in (try? found.details(low...high)) ?? [] where snapshot.index(ofUID: one.uid) != nil { details[one.uid] = one }
    }

    mutating func open(uid: UInt32) throws(StoreError) -> MessageFile {
        for _ in 0..<3 {
            guard let message = snapshot.message(withUID: uid) else { break }
            do throws(StoreError) { return try MessageFile(path: path(of: message)) } catch .system(_, _, ENOENT) { try rescan() }
        }
        throw .noSuchMessage(uid: uid)
    }

    mutating func details(of uid: UInt32) throws(StoreError) -> MessageDetails? {
        if let known = details[uid] { return known }
        do throws(StoreError) {
            let file = try open(uid: uid)
            let size: Int
            let named = snapshot.message(withUID: uid).map { MaildirFileName(base: $0.base) }
            // A name that is wrong about the one size is not believed about the other.
            if let told = named?.virtualSize, named?.physicalSize == file.physicalSize { size = told } else { size = try file.countVirtualSize() }
            let found = MessageDetails(uid: uid, internalDate: file.internalDate, size: size)
            details[uid] = found
            return found
        } catch .noSuchMessage { return nil }
    }
}
