/// A message's header: its fields in order, top first (RFC 5322 §3.6).
public struct MessageHeader: Sendable, Hashable {
    public var fields: [HeaderField]

    public init(_ fields: [HeaderField] = []) { self.fields = fields }

    /// The first field of that name, case ignored.
    public func first(_ name: String) -> HeaderField? { fields.first { $0.isNamed(name) } }
    public func all(_ name: String) -> [HeaderField] { fields.filter { $0.isNamed(name) } }
    public func count(of name: String) -> Int { fields.reduce(0) { $0 + ($1.isNamed(name) ? 1 : 0) } }

    /// Octets of the header with CRLF after each field, without the empty line.
    public var byteCount: Int { fields.reduce(0) { $0 + $1.bytes.count + 2 } }

    /// Appends each field and its CRLF, without the empty line that ends a header.
    public func serialize(into out: inout [UInt8]) {
        for field in fields {
            out += field.bytes
            out.append(13)
            out.append(10)
        }
    }

    /// Splits a header block (CRLF line ends, with or without the final empty line) into fields.
    ///
    /// As Postfix does, the header ends at the first line that neither starts a field nor continues one.
    /// - Returns: the header, and how many octets belong to it, the empty line included.
    public static func parse(_ block: ArraySlice<UInt8>) -> (header: MessageHeader, consumed: Int) {
        var parser = HeaderParser()
        var position = block.startIndex
        while position < block.endIndex {
            let end = block[position...].firstIndex(of: 10) ?? block.endIndex
            var lineEnd = end
            if lineEnd > position, end < block.endIndex, block[lineEnd - 1] == 13 { lineEnd -= 1 }
            switch parser.take(line: block[position..<lineEnd]) {
            case .continues: position = min(end + 1, block.endIndex)
            case .endsWithEmptyLine: return (parser.finish(), min(end + 1, block.endIndex) - block.startIndex)
            case .endsBeforeLine: return (parser.finish(), position - block.startIndex)
            }
        }
        return (parser.finish(), block.count)
    }
}

/// Takes a header line by line.
struct HeaderParser {
    enum Step { case continues, endsWithEmptyLine, endsBeforeLine }

    private var fields: [HeaderField] = []
    private var current: [UInt8] = []

    mutating func take(line: ArraySlice<UInt8>) -> Step {
        guard let first = line.first else { return .endsWithEmptyLine }
        if first == 32 || first == 9 {
            guard !current.isEmpty else { return .endsBeforeLine }
            current += [13, 10]
            current += line
            return .continues
        }
        guard HeaderField.nameAndColon(in: line) != nil else { return .endsBeforeLine }
        flush()
        current = Array(line)
        return .continues
    }

    mutating func finish() -> MessageHeader {
        flush()
        return MessageHeader(fields)
    }

    private mutating func flush() {
        if let field = HeaderField(bytes: current) { fields.append(field) }
        current = []
    }
}
