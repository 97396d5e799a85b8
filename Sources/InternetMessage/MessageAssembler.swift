#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Collects a message that arrives in pieces: the header is split off, the body stays in memory up to a limit and
/// goes to an unlinked spool file past it.
///
/// ``append(_:)`` never blocks. When ``wantsSpill`` turns true the owner calls ``spill()`` on a thread that may block
/// (and reads nothing more until it returns), so memory stays bounded by the limit and one read.
public struct MessageAssembler: ~Copyable, Sendable {
    /// What a header may cost at the most, as Postfix's `header_size_limit` bounds it.
    public static let headerLimit = 1 << 20

    public enum Failure: Error { case headerTooLarge }

    private var headerBlock: [UInt8] = []
    private var header: MessageHeader?
    private var body: [UInt8] = []
    private var spooled = 0
    private var descriptor: Int32 = -1
    private var scanned = 0
    private let memoryLimit: Int
    private let folder: String

    /// - Parameters:
    ///   - memoryLimit: octets of body kept in memory.
    ///   - spoolFolder: where a larger body goes.
    public init(memoryLimit: Int, spoolFolder: String) {
        self.memoryLimit = memoryLimit
        folder = spoolFolder
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Octets taken so far.
    public var count: Int { (header == nil ? headerBlock.count : headerOctets) + body.count + spooled }
    private var headerOctets = 0

    public var wantsSpill: Bool { body.count > memoryLimit }

    /// Takes the next octets of the message (dot-unstuffed, CRLF line ends).
    /// - Throws: ``Failure/headerTooLarge``.
    public mutating func append(_ bytes: some Collection<UInt8>) throws {
        guard header == nil else {
            body.append(contentsOf: bytes)
            return
        }
        headerBlock.append(contentsOf: bytes)
        if hasHeaderEnd() { splitHeader() }
        guard (header == nil ? headerBlock.count : headerOctets) <= Self.headerLimit else { throw Failure.headerTooLarge }
    }

    /// Moves what is in memory to the spool file. Blocks.
    /// - Throws: ``SpoolFile/Failure``.
    public mutating func spill() throws {
        if descriptor < 0 { descriptor = try SpoolFile.open(in: folder) }
        try SpoolFile.append(body, to: descriptor)
        spooled += body.count
        body.removeAll(keepingCapacity: true)
    }

    /// The message, when its last octet has come. Blocks only when it was spilled.
    /// - Throws: ``SpoolFile/Failure``.
    public consuming func finish() throws -> Message {
        if header == nil { splitHeader() }
        let parsed = header ?? MessageHeader()
        guard descriptor >= 0 else { return Message(header: parsed, body: MessageBody(body)) }
        try spill()
        let file = SpoolFile(descriptor: descriptor, count: spooled)
        descriptor = -1
        return Message(header: parsed, body: MessageBody(file: file))
    }

    /// Looks for the empty line in what has come since the last look.
    private mutating func hasHeaderEnd() -> Bool {
        var i = max(scanned - 3, 0)
        scanned = headerBlock.count
        if i == 0, headerBlock.starts(with: [13, 10]) { return true }
        while i + 3 < headerBlock.count {
            if headerBlock[i] == 13, headerBlock[i + 1] == 10, headerBlock[i + 2] == 13, headerBlock[i + 3] == 10 { return true }
            i += 1
        }
        return false
    }

    private mutating func splitHeader() {
        let (parsed, consumed) = MessageHeader.parse(headerBlock[...])
        header = parsed
        headerOctets = consumed
        body = consumed == 0 ? headerBlock : Array(headerBlock[consumed...])
        headerBlock = []
    }
}
