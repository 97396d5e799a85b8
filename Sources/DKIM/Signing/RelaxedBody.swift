/// The relaxed body canonicalization (RFC 6376 §3.4.4) over a body that comes in pieces, in constant memory.
///
/// Blanks at line ends go, other runs of blanks become one, empty lines at the end go, a body that is not empty ends in CRLF.
struct RelaxedBody: ~Copyable {
    private static let size = 16384
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: RelaxedBody.size, alignment: 16)
    private var used = 0
    private var digest: SHA256Digest
    /// Line ends seen and not yet written: they count only if something follows.
    private var lineEnds = 0
    private var blank = false
    private var heldCR = false
    private var isEmpty = true

    init() throws(CryptoFailure) { digest = try SHA256Digest() }
    deinit { buffer.deallocate() }

    mutating func append(_ chunk: UnsafeRawBufferPointer) {
        var i = 0
        while i < chunk.count {
            let byte = chunk[i]
            if heldCR {
                heldCR = false
                if byte == 10 {
                    lineEnds += 1
                    blank = false
                    i += 1
                    continue
                }
                put(13)
            }
            switch byte {
            case 13: heldCR = true
            case 32, 9: blank = true
            default:
                // The rest of a run without blanks and line ends is copied without looking at the state again.
                put(byte)
                i = copyRun(chunk, from: i + 1)
                continue
            }
            i += 1
        }
    }

    /// The hash of the canonical body. Call once.
    mutating func finish() throws(CryptoFailure) -> [UInt8] {
        // A CR without LF, or blanks without a line end, at the very end: the CRLF that is missing comes after them.
        if heldCR { put(13) }
        if !isEmpty { write(13); write(10) }
        flush()
        return try digest.finish()
    }

    /// Writes an octet that is neither blank nor line end, and before it what was held back.
    private mutating func put(_ byte: UInt8) {
        while lineEnds > 0 {
            write(13)
            write(10)
            lineEnds -= 1
        }
        if blank {
            write(32)
            blank = false
        }
        isEmpty = false
        write(byte)
    }

    private mutating func copyRun(_ chunk: UnsafeRawBufferPointer, from start: Int) -> Int {
        var i = start
        while i < chunk.count {
            let byte = chunk[i]
            if byte == 32 || byte == 13 || byte == 9 { break }
            if used == Self.size { flush() }
            buffer[used] = byte
            used += 1
            i += 1
        }
        return i
    }

    private mutating func write(_ byte: UInt8) {
        if used == Self.size { flush() }
        buffer[used] = byte
        used += 1
    }

    private mutating func flush() {
        digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<used]))
        used = 0
    }
}
