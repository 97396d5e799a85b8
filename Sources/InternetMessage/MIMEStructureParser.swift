/// Walks a message line by line, once, with the boundaries that are open on a stack. A delimiter of an outer level ends
/// all inner parts (RFC 2046 §5.1.2).
struct MIMEStructureParser {
    private let bytes: UnsafeRawBufferPointer
    private let limits: MIMEStructure.Limits
    private var position = 0
    /// Line feeds before `position`.
    private var lines = 0
    private var boundaries: [[UInt8]] = []
    private var partCount = 0

    init(_ bytes: UnsafeRawBufferPointer, limits: MIMEStructure.Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// What ended a part.
    private enum Stop {
        case end
        /// A delimiter line of the boundary at that index of the stack; `position` is behind it.
        case delimiter(level: Int, isClosing: Bool)
    }

    /// Where a body ended, the line end before a delimiter not counted.
    private struct Ending {
        let offset: Int
        let lines: Int
        let stop: Stop
    }

    mutating func message() -> MIMEPart { part(depth: 0, inDigest: false).part }

    private mutating func part(depth: Int, inDigest: Bool) -> (part: MIMEPart, ending: Ending) {
        partCount += 1
        let start = position
        let (fields, ended) = header(inDigest: inDigest)
        let bodyStart = ended?.offset ?? position
        let linesBefore = lines
        var part = MIMEPart(headerRange: start..<max(bodyStart, start), bodyRange: bodyStart..<bodyStart, lineCount: 0, fields: fields, content: .leaf)
        if let ended { return (part, ended) }
        let ending = body(of: &part, depth: depth)
        // Behind an empty body the delimiter's own line end is the header's last.
        part.bodyRange = bodyStart..<max(ending.offset, bodyStart)
        part.lineCount = max(ending.lines - linesBefore, 0)
        return (part, ending)
    }

    private mutating func body(of part: inout MIMEPart, depth: Int) -> Ending {
        guard depth < limits.depth, partCount < limits.parts else { return skipToDelimiter() }
        if part.fields.isMessage {
            let (inner, ending) = self.part(depth: depth + 1, inDigest: false)
            part.content = .message([inner])
            return ending
        }
        guard part.fields.isMultipart, let boundary = part.fields.parameters.bytes("boundary"), !boundary.isEmpty, boundary.count <= 1000 else {
            return skipToDelimiter()
        }
        boundaries.append(boundary)
        defer { boundaries.removeLast() }
        let (children, ending) = self.children(depth: depth, level: boundaries.count - 1, inDigest: part.fields.subtype == "digest")
        if !children.isEmpty { part.content = .multipart(children) }
        return ending
    }

    /// The parts between delimiters of the given level, then the epilogue, up to a delimiter of an outer level.
    private mutating func children(depth: Int, level: Int, inDigest: Bool) -> ([MIMEPart], Ending) {
        var children: [MIMEPart] = []
        var ending = skipToDelimiter()
        while case .delimiter(level, let isClosing) = ending.stop {
            if isClosing {
                // The epilogue: this boundary has no meaning any more.
                let boundary = boundaries[level]
                boundaries[level] = []
                ending = skipToDelimiter()
                boundaries[level] = boundary
                break
            }
            guard partCount < limits.parts else {
                ending = skipToDelimiter()
                continue
            }
            let (child, next) = part(depth: depth + 1, inDigest: inDigest)
            children.append(child)
            ending = next
        }
        return (children, ending)
    }

    // MARK: Header

    /// Reads fields up to the empty line. A delimiter or the end of the message inside ends header and part.
    private mutating func header(inDigest: Bool) -> (ContentFields, Ending?) {
        var fields = ContentFields()
        if inDigest { (fields.type, fields.subtype) = ("message", "rfc822") }
        var seen = Set<String>()
        var current: Range<Int>?
        while true {
            let start = position, linesBefore = lines
            guard let line = nextLine() else {
                take(current, into: &fields, seen: &seen)
                return (fields, Ending(offset: start, lines: linesBefore, stop: .end))
            }
            if let stop = delimiter(line) {
                take(current, into: &fields, seen: &seen)
                return (fields, Ending(offset: start, lines: linesBefore, stop: stop))
            }
            if line.isEmpty {
                take(current, into: &fields, seen: &seen)
                return (fields, nil)
            }
            if bytes[line.lowerBound] == 32 || bytes[line.lowerBound] == 9, let field = current {
                current = field.lowerBound..<line.upperBound
                continue
            }
            take(current, into: &fields, seen: &seen)
            // A line that is no field ends the header, as MessageHeader.parse has it; it is the body's first.
            guard isFieldStart(line) else {
                position = start
                lines = linesBefore
                return (fields, nil)
            }
            current = line
        }
    }

    private func isFieldStart(_ line: Range<Int>) -> Bool {
        var i = line.lowerBound
        while i < line.upperBound, bytes[i] > 32, bytes[i] < 127, bytes[i] != 58 { i += 1 }
        guard i > line.lowerBound else { return false }
        while i < line.upperBound, bytes[i] == 32 || bytes[i] == 9 { i += 1 }
        return i < line.upperBound && bytes[i] == 58
    }

    private func take(_ range: Range<Int>?, into fields: inout ContentFields, seen: inout Set<String>) {
        // Only Content- fields matter; a field of a megabyte is no Content-Type.
        guard let range, range.count <= 65_536, bytes[range.lowerBound] | 0x20 == 99, let field = HeaderField(bytes: bytes[range]) else { return }
        fields.take(name: field.name, value: field.rawValue, seen: &seen)
    }

    // MARK: Lines

    /// The next line without its line end; moves behind it. nil at the end of the message.
    private mutating func nextLine() -> Range<Int>? {
        guard position < bytes.count else { return nil }
        let start = position
        let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
        guard let feed = rest.firstIndex(of: 10) else {
            position = bytes.count
            return start..<bytes.count
        }
        position = start + feed + 1
        lines += 1
        let end = start + feed
        return start..<(end > start && bytes[end - 1] == 13 ? end - 1 : end)
    }

    private mutating func skipToDelimiter() -> Ending {
        var previousEnd = position, previousLines = lines
        while true {
            let linesBefore = lines
            guard let line = nextLine() else { return Ending(offset: bytes.count, lines: linesBefore, stop: .end) }
            if !boundaries.isEmpty, let stop = delimiter(line) { return Ending(offset: previousEnd, lines: previousLines, stop: stop) }
            previousEnd = line.upperBound
            previousLines = linesBefore
        }
    }

    /// `"--" boundary ["--"] transport-padding`, the innermost boundary first.
    private func delimiter(_ line: Range<Int>) -> Stop? {
        guard line.count > 2, bytes[line.lowerBound] == 45, bytes[line.lowerBound + 1] == 45 else { return nil }
        var end = line.upperBound
        while end > line.lowerBound, bytes[end - 1] == 32 || bytes[end - 1] == 9 { end -= 1 }
        let text = bytes[min(line.lowerBound + 2, end)..<end]
        for level in boundaries.indices.reversed() {
            let boundary = boundaries[level]
            guard !boundary.isEmpty, text.count == boundary.count || text.count == boundary.count + 2, text.starts(with: boundary) else { continue }
            if text.count == boundary.count { return .delimiter(level: level, isClosing: false) }
            if text.suffix(2).elementsEqual([45, 45]) { return .delimiter(level: level, isClosing: true) }
        }
        return nil
    }
}
