#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Takes mail data octet by octet as it comes, undoes dot-stuffing, and knows the end: CRLF.CRLF and nothing else.
///
/// A CR or LF that stands alone is remembered (``hasBareLineEnd``) and never ends anything, so what another server
/// would take for the end of the message (`LF.LF`, `CR.CR`, `LF.CRLF`: SMTP smuggling) stays content here, and the
/// message is refused for it (RFC 5321 §2.3.8).
public struct DataDecoder: Sendable {
    public enum Framing: Sendable { case dotStuffed, chunk }

    private enum State { case lineStart, inLine, cr, dot, dotCR, ended }

    private var state: State
    private let framing: Framing
    /// A CR without LF or an LF without CR was among the octets.
    public private(set) var hasBareLineEnd = false

    /// - Parameter framing: `chunk` for BDAT, whose end is counted and whose dots are content.
    public init(_ framing: Framing = .dotStuffed) {
        self.framing = framing
        state = .lineStart
    }

    public var isAtEnd: Bool { state == .ended }

    /// Takes octets up to the end of the message.
    /// - Parameter emit: gets the content, in order, in slices of the input or of constant text.
    /// - Returns: how many octets were taken; fewer than given when the message ended among them.
    public mutating func decode(_ input: UnsafeRawBufferPointer, emit: (UnsafeRawBufferPointer) -> Void) -> Int {
        var i = 0
        while i < input.count, state != .ended {
            switch state {
            case .inLine: i = scanLine(input, from: i, emit)
            case .lineStart: i = begin(input, at: i)
            case .cr: i = afterCR(input[i], i, emit)
            case .dot: i = afterDot(input[i], i, emit)
            case .dotCR: i = afterDotCR(input[i], i, emit)
            case .ended: break
            }
        }
        return i
    }

    /// What is withheld when a counted chunk was the last: a CR that no LF follows is content, and a fault.
    public mutating func finishChunk(emit: (UnsafeRawBufferPointer) -> Void) {
        if state == .cr {
            hasBareLineEnd = true
            Self.put("\r", emit)
        }
        state = .ended
    }

    private mutating func begin(_ input: UnsafeRawBufferPointer, at i: Int) -> Int {
        if input[i] == 46, framing == .dotStuffed {
            state = .dot
            return i + 1
        }
        state = .inLine
        return i
    }

    /// Everything up to the next CR or LF is content: found with memchr, handed on in one piece.
    private mutating func scanLine(_ input: UnsafeRawBufferPointer, from start: Int, _ emit: (UnsafeRawBufferPointer) -> Void) -> Int {
        guard let base = input.baseAddress else { return input.count }
        let rest = input.count - start
        var end = input.count
        if let found = memchr(base + start, 10, rest) { end = base.distance(to: UnsafeRawPointer(found)) }
        if let found = memchr(base + start, 13, end - start) { end = base.distance(to: UnsafeRawPointer(found)) }
        // A well-formed line and its CRLF go on in one slice.
        if end + 1 < input.count, input[end] == 13, input[end + 1] == 10 {
            emit(UnsafeRawBufferPointer(rebasing: input[start..<(end + 2)]))
            state = .lineStart
            return end + 2
        }
        if end > start { emit(UnsafeRawBufferPointer(rebasing: input[start..<end])) }
        guard end < input.count else { return end }
        if input[end] == 13 {
            state = .cr
        } else {
            hasBareLineEnd = true
            Self.put("\n", emit)
            // Not a line start: a dot after a bare LF is an ordinary dot.
        }
        return end + 1
    }

    private mutating func afterCR(_ byte: UInt8, _ i: Int, _ emit: (UnsafeRawBufferPointer) -> Void) -> Int {
        guard byte == 10 else {
            hasBareLineEnd = true
            Self.put("\r", emit)
            state = .inLine
            return i
        }
        Self.put("\r\n", emit)
        state = .lineStart
        return i + 1
    }

    /// RFC 5321 §4.5.2: a lone dot ends; otherwise the first dot is deleted.
    private mutating func afterDot(_ byte: UInt8, _ i: Int, _ emit: (UnsafeRawBufferPointer) -> Void) -> Int {
        if byte == 13 {
            state = .dotCR
            return i + 1
        }
        state = .inLine
        return i
    }

    private mutating func afterDotCR(_ byte: UInt8, _ i: Int, _ emit: (UnsafeRawBufferPointer) -> Void) -> Int {
        if byte == 10 {
            state = .ended
            return i + 1
        }
        hasBareLineEnd = true
        Self.put("\r", emit)
        state = .inLine
        return i
    }

    private static func put(_ text: StaticString, _ emit: (UnsafeRawBufferPointer) -> Void) {
        emit(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
