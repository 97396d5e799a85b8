#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A line end that is none (RFC 5321 §2.3.8: CR and LF occur only together, as a line's end).
public enum LineDefect: Sendable, Hashable {
    case bareCR, bareLF

    var text: String { self == .bareCR ? "<CR>" : "<LF>" }
}

/// Takes the message out of what follows DATA: removes the dot before a line's first dot (RFC 5321 §4.5.2) and finds
/// the end, which is CRLF, dot, CRLF and nothing else.
///
/// Lines may be of any length: senders do not keep to the 998 octets of §4.5.3.1.6, nothing here holds a line, and the
/// message's size limit bounds them all.
public struct DataDecoder: Sendable {
    public struct Step: Sendable, Equatable {
        /// Octets dealt with; the rest must be given again with what follows.
        public var consumed = 0
        /// Where the message's octets lie in what was given.
        public var content: [Range<Int>] = []
        public var ended = false
    }

    /// DATA's own CRLF stands before the first line, so that a message may be empty.
    private var atLineStart = true
    /// The first bare CR or LF. Such a message must be refused: some other server may see a line end there, and with
    /// it an end of the message and commands behind it (SMTP smuggling).
    public private(set) var defect: LineDefect?

    public init() {}

    /// Decodes as much as can be decided; leaves at most `.CR` for next time.
    public mutating func decode(_ bytes: UnsafeRawBufferPointer) -> Step {
        var step = Step()
        var runStart = 0
        func endRun(_ end: Int) { if end > runStart { step.content.append(runStart..<end) } }
        while step.consumed < bytes.count {
            if atLineStart, bytes[step.consumed] == 46 {
                let left = bytes.count - step.consumed
                if left == 1 || (left == 2 && bytes[step.consumed + 1] == 13) { break }
                endRun(step.consumed)
                if bytes[step.consumed + 1] == 13, bytes[step.consumed + 2] == 10 {
                    step.consumed += 3
                    step.ended = true
                    return step
                }
                step.consumed += 1
                runStart = step.consumed
            }
            let next = lineEnd(in: bytes, from: step.consumed)
            if next == step.consumed { break }
            step.consumed = next
        }
        endRun(step.consumed)
        return step
    }

    /// The position after the line that begins at `start`, or after as much of it as is known. A CR at the very end is
    /// not passed: what follows it decides.
    private mutating func lineEnd(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
        let (length, defect, complete) = LineScanner.scan(rest)
        if self.defect == nil { self.defect = defect }
        // After a bare LF no line begins: only CRLF ends one.
        atLineStart = length > 0 ? complete : atLineStart
        return start + length
    }
}

/// Finds line ends with `memchr`.
enum LineScanner {
    /// - Returns: how many octets belong to the first line, its end included, or to what is known of it; whether
    ///   it holds a bare CR or LF (a bare LF ends the scan); whether it ended in CRLF.
    static func scan(_ bytes: UnsafeRawBufferPointer) -> (length: Int, defect: LineDefect?, complete: Bool) {
        guard let lf = index(of: 10, in: bytes) else {
            // No end in sight: everything but a CR at the very end.
            let known = bytes.last == 13 ? bytes.count - 1 : bytes.count
            let hasCR = index(of: 13, in: UnsafeRawBufferPointer(rebasing: bytes[..<known])) != nil
            return (known, hasCR ? .bareCR : nil, false)
        }
        let cr = index(of: 13, in: UnsafeRawBufferPointer(rebasing: bytes[..<lf]))
        guard let cr else { return (lf + 1, .bareLF, false) }
        guard cr == lf - 1 else {
            return (lf + 1, .bareCR, bytes[lf - 1] == 13)
        }
        return (lf + 1, nil, true)
    }

    static func index(of byte: UInt8, in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress, bytes.count > 0, let found = memchr(base, Int32(byte), bytes.count) else { return nil }
        return base.distance(to: UnsafeRawPointer(found))
    }
}
