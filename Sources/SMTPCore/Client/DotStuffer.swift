/// Turns message octets into what follows DATA: a dot before a line's first dot (RFC 5321 §4.5.2), CRLF at the end of
/// the last line, and the final dot. Chunks may be cut anywhere.
///
/// A LF without CR becomes CRLF and a CR without LF a blank: neither may go over the wire (§2.3.8), and a server that
/// took either for a line end could be made to see commands in the message.
public struct DotStuffer: Sendable {
    private var atLineStart = true
    private var heldCR = false
    private let doublesDots: Bool

    /// - Parameter doublesDots: false for BDAT, whose content has a length instead of an end: line ends alone are put right.
    public init(doublesDots: Bool = true) { self.doublesDots = doublesDots }

    /// Stuffs a chunk.
    public mutating func stuff(_ bytes: UnsafeRawBufferPointer, into out: inout [UInt8]) {
        out.reserveCapacity(out.count + bytes.count + bytes.count / 64 + 4)
        for byte in bytes { take(byte, &out) }
    }

    public mutating func stuff(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        bytes.withUnsafeBytes { stuff($0, into: &out) }
        return out
    }

    /// What ends the content: the last line's end if it was missing, and `.CRLF`.
    public mutating func finish() -> [UInt8] {
        var out: [UInt8] = []
        if heldCR { endLine(&out) }
        if !atLineStart { endLine(&out) }
        if doublesDots { out += [46, 13, 10] }
        return out
    }

    private mutating func take(_ byte: UInt8, _ out: inout [UInt8]) {
        if byte == 10 {
            endLine(&out)
            return
        }
        if heldCR {
            out.append(32)
            heldCR = false
            atLineStart = false
        }
        if byte == 13 {
            heldCR = true
            return
        }
        if atLineStart, byte == 46, doublesDots { out.append(46) }
        out.append(byte)
        atLineStart = false
    }

    private mutating func endLine(_ out: inout [UInt8]) {
        out.append(13)
        out.append(10)
        heldCR = false
        atLineStart = true
    }
}
