import InternetMessage

/// What a section of a message amounts to: a run of the message's own octets, or octets made for it.
public enum SectionContent: Sendable, Hashable {
    /// Offsets into the message.
    case range(Range<Int>)
    case bytes([UInt8])

    public var count: Int {
        switch self {
        case .range(let range): range.count
        case .bytes(let bytes): bytes.count
        }
    }

    /// The part of it that `<origin.count>` names; empty when it begins past the end (RFC 3501 §6.4.5).
    public func applying(_ partial: Partial?) -> SectionContent {
        guard let partial else { return self }
        let start = min(partial.origin, count)
        let length = min(partial.count, count - start)
        switch self {
        case .range(let range): return .range((range.lowerBound + start)..<(range.lowerBound + start + length))
        case .bytes(let bytes): return .bytes(Array(bytes[start..<(start + length)]))
        }
    }

    /// The octets, copied.
    public func octets(of message: UnsafeRawBufferPointer) -> [UInt8] {
        switch self {
        case .range(let range): Array(message[range])
        case .bytes(let bytes): bytes
        }
    }
}

/// Finds sections in a message (RFC 3501 §6.4.5, RFC 3516). Pure functions.
public enum SectionExtractor {
    /// - Parameters:
    ///   - message: the whole message, CRLF line ends, the one that `structure` was made from.
    ///   - structure: asked for only when the section names a part.
    /// - Returns: nil when there is no such part; the answer is then NIL.
    public static func extract(
        _ section: BodySection, partial: Partial? = nil, of message: UnsafeRawBufferPointer, structure: @autoclosure () -> MIMEPart
    ) -> SectionContent? {
        if section.part.isEmpty {
            if case .whole = section.specifier { return SectionContent.range(0..<message.count).applying(partial) }
            let header = headerRange(of: message, in: 0..<message.count)
            return content(section.specifier, header: header, body: header.upperBound..<message.count, message)?.applying(partial)
        }
        guard let part = find(section.part, in: structure()) else { return nil }
        switch section.specifier {
        case .whole: return SectionContent.range(part.bodyRange).applying(partial)
        case .mime: return SectionContent.range(part.headerRange).applying(partial)
        default:
            // HEADER and TEXT behind a number speak of the message that the part encloses.
            guard let inner = part.enclosedMessage else { return nil }
            return content(section.specifier, header: inner.headerRange, body: inner.bodyRange, message)?.applying(partial)
        }
    }

    /// The part that the numbers name. In a message that is not multipart, 1 is its body (RFC 3501 §6.4.5).
    public static func find(_ numbers: [Int], in root: MIMEPart) -> MIMEPart? {
        var scope = root
        var isMessage = true
        var found: MIMEPart?
        for number in numbers {
            if case .multipart(let parts) = scope.content {
                guard number <= parts.count, number > 0 else { return nil }
                found = parts[number - 1]
            } else {
                guard isMessage, number == 1 else { return nil }
                found = scope
            }
            guard let part = found else { return nil }
            // Numbers behind a message/rfc822 part count in the message it encloses.
            isMessage = part.enclosedMessage != nil
            scope = part.enclosedMessage ?? part
        }
        return found
    }

    public enum BinaryFailure: Error, Sendable, Hashable {
        case noSuchPart
        /// Answer NO with ``ResponseCode/unknownCTE``.
        case unknownEncoding
    }

    /// A part's body with its transfer encoding undone (RFC 3516 §4.3). Part `[]` is the whole message.
    /// - Throws: ``BinaryFailure``.
    public static func binary(
        _ part: [Int], partial: Partial? = nil, of message: UnsafeRawBufferPointer, structure: @autoclosure () -> MIMEPart
    ) throws(BinaryFailure) -> SectionContent {
        guard !part.isEmpty else { return SectionContent.range(0..<message.count).applying(partial) }
        guard let found = find(part, in: structure()) else { throw .noSuchPart }
        // RFC 3516 §4.2: multipart and message bodies have no encoding of their own.
        if found.fields.encoding == .identity || found.children.count > 0 { return SectionContent.range(found.bodyRange).applying(partial) }
        guard let decoded = found.fields.encoding.decode(message[found.bodyRange]) else { throw .unknownEncoding }
        return SectionContent.bytes(decoded).applying(partial)
    }

    private static func content(
        _ specifier: BodySection.Specifier, header: Range<Int>, body: Range<Int>, _ message: UnsafeRawBufferPointer
    ) -> SectionContent? {
        switch specifier {
        case .header: .range(header)
        case .text: .range(body)
        case .headerFields(let names): .bytes(subset(message[header]) { field in names.contains { field.isNamed($0) } })
        case .headerFieldsNot(let names): .bytes(subset(message[header]) { field in !names.contains { field.isNamed($0) } })
        case .whole, .mime: nil
        }
    }

    /// The fields kept, in their order, and the empty line that every header subset ends with.
    private static func subset(_ header: Slice<UnsafeRawBufferPointer>, keep: (HeaderField) -> Bool) -> [UInt8] {
        var out: [UInt8] = []
        MessageHeader(MessageHeader.parse(Array(header)[...]).header.fields.filter(keep)).serialize(into: &out)
        return out + [13, 10]
    }

    /// The header of the message at that range, its empty line included, by the rules of ``MIMEStructure``.
    public static func headerRange(of message: UnsafeRawBufferPointer, in range: Range<Int>) -> Range<Int> {
        var line = range.lowerBound
        var isFirst = true
        while line < range.upperBound {
            let rest = UnsafeRawBufferPointer(rebasing: message[line..<range.upperBound])
            let next = rest.firstIndex(of: 10).map { line + $0 + 1 } ?? range.upperBound
            let first = message[line]
            if first == 10 || (first == 13 && line + 1 < range.upperBound && message[line + 1] == 10) { return range.lowerBound..<next }
            let isFolded = !isFirst && (first == 32 || first == 9)
            if !isFolded, !startsField(message[line..<next]) { return range.lowerBound..<line }
            isFirst = false
            line = next
        }
        return range
    }

    private static func startsField(_ line: Slice<UnsafeRawBufferPointer>) -> Bool {
        let rest = line.drop { $0 > 32 && $0 < 127 && $0 != 58 }
        return rest.count < line.count && rest.drop { $0 == 32 || $0 == 9 }.first == 58
    }
}
