#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A message's body: immutable octets with CRLF line ends, in memory or, when large, in a spool file. Copies share storage.
public struct MessageBody: Sendable {
    enum Storage: Sendable {
        case memory([UInt8])
        case file(SpoolFile)
        case absent(Int)
    }
    let storage: Storage

    public init(_ bytes: [UInt8] = []) { storage = .memory(bytes) }
    init(file: SpoolFile) { storage = .file(file) }

    /// A body of which only the size is known: a message's record does not keep it. Reading it throws.
    public init(absent count: Int) { storage = .absent(count) }

    /// Whether only the size is known.
    public var isAbsent: Bool { if case .absent = storage { true } else { false } }

    /// A body that lies in a file: `count` octets (CRLF line ends) from `start`. The file stays open, and readable though
    /// it be removed, while the body is referenced; its octets must not change. Blocks.
    /// - Throws: ``SpoolFile/Failure`` when it cannot be opened.
    public init(fileAt path: String, start: Int, count: Int) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SpoolFile.Failure(call: "open \(path)", code: errno) }
        storage = .file(SpoolFile(descriptor: descriptor, start: start, count: count))
    }

    /// Octets.
    public var count: Int {
        switch storage {
        case .memory(let bytes): bytes.count
        case .file(let file): file.count
        case .absent(let count): count
        }
    }

    /// Whether reading it blocks on a file: then it belongs on the blocking pool, not on an event loop.
    public var isInFile: Bool { if case .file = storage { true } else { false } }

    /// Visits the octets in order, in chunks of at most 64 KiB from a file, or all at once from memory. May block on a file.
    /// - Throws: ``SpoolFile/Failure`` when the file cannot be read, and whatever `visit` throws.
    public func forEachChunk(_ visit: (UnsafeRawBufferPointer) throws -> Void) throws {
        switch storage {
        case .memory(let bytes): try bytes.withUnsafeBytes(visit)
        case .file(let file): try file.forEachChunk(visit)
        case .absent: throw SpoolFile.Failure(call: "read an absent body", code: ENOENT)
        }
    }

    /// The octets from an offset on, at most so many; empty at the end. May block on a file.
    /// - Throws: ``SpoolFile/Failure``.
    public func read(at offset: Int, upTo maximum: Int) throws -> [UInt8] {
        switch storage {
        case .memory(let bytes): return Array(bytes[min(offset, bytes.count)..<min(offset + maximum, bytes.count)])
        case .file(let file): return try file.read(at: offset, upTo: maximum)
        case .absent: throw SpoolFile.Failure(call: "read an absent body", code: ENOENT)
        }
    }

    /// All octets in one array; for bodies from a file that is a copy, so ask only for what is known to be small.
    public func bytes() throws -> [UInt8] {
        if case .memory(let bytes) = storage { return bytes }
        var out: [UInt8] = []
        out.reserveCapacity(count)
        try forEachChunk { out.append(contentsOf: $0) }
        return out
    }
}

/// A message: its header and body. A value; copies are cheap.
public struct Message: Sendable {
    public var header: MessageHeader
    public var body: MessageBody

    public init(header: MessageHeader = MessageHeader(), body: MessageBody = MessageBody()) {
        self.header = header
        self.body = body
    }

    /// Splits a whole message. Line ends may be CRLF or LF; they are CRLF inside.
    public init(parsing bytes: [UInt8]) {
        let normalised = LineEnds.toCRLF(bytes)
        let (header, consumed) = MessageHeader.parse(normalised[...])
        self.init(header: header, body: MessageBody(consumed == 0 ? normalised : Array(normalised[consumed...])))
    }

    /// Octets as transmitted: header, empty line, body.
    public var byteCount: Int { header.byteCount + 2 + body.count }

    /// The header and the empty line after it, as octets.
    public func headerBytes() -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(header.byteCount + 2)
        header.serialize(into: &out)
        out += [13, 10]
        return out
    }

    /// The whole message as octets with CRLF line ends; for tests and small messages.
    public func bytes() throws -> [UInt8] { headerBytes() + (try body.bytes()) }
}

/// Line-end conversion between the network's CRLF and a Unix file's LF.
public enum LineEnds {
    /// Every LF that no CR precedes becomes CRLF; CRLF stays.
    public static func toCRLF(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + bytes.count / 40)
        var previous: UInt8 = 0
        for byte in bytes {
            if byte == 10, previous != 13 { out.append(13) }
            out.append(byte)
            previous = byte
        }
        return out
    }
}
