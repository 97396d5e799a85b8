/// One header field, its octets kept exactly as they came (RFC 5322 §2.2), without the final line end.
///
/// DKIM depends on the exact octets, so nothing here reformats; the parsed views are computed on demand.
public struct HeaderField: Sendable, Hashable, CustomStringConvertible {
    /// `Subject: hello\r\n world`: name, colon, value with its folding, no CRLF at the end.
    public let bytes: [UInt8]
    private let nameEnd: Int
    private let colon: Int

    /// Takes one raw field. Returns nil unless it begins with a field name (printable US-ASCII but colon, RFC 5322
    /// §3.6.8) followed by a colon; blanks between name and colon are the obsolete form (§4.5) and kept.
    public init?(bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        guard let (nameEnd, colon) = Self.nameAndColon(in: bytes[...]) else { return nil }
        self.bytes = bytes
        self.nameEnd = nameEnd
        self.colon = colon
    }

    /// A field made here: `name: value`. A value that is folded must bring its own CRLF-and-blank; other control
    /// octets, and line ends that no blank follows, are removed, so that no caller can inject a second field.
    public init(name: String, value: String) {
        var value = value
        self = value.withUTF8 { Self(name: name, blanks: 1, value: $0) }
    }

    /// A field as a milter gives it: the value's octets as they stand after the colon, any leading blank included.
    public init(name: String, rawValue: some Collection<UInt8>) {
        let made = rawValue.withContiguousStorageIfAvailable { Self(name: name, blanks: 0, value: $0) }
        self = made ?? Array(rawValue).withUnsafeBufferPointer { Self(name: name, blanks: 0, value: $0) }
    }

    /// - Parameter blanks: how many stand between the colon and the value.
    private init(name: String, blanks: Int, value: UnsafeBufferPointer<UInt8>) {
        var octets: [UInt8] = []
        // Folds that came as bare line feeds grow by an octet each.
        octets.reserveCapacity(name.utf8.count + 1 + blanks + value.count + 16)
        for octet in name.utf8 where octet > 32 && octet < 127 && octet != 58 { octets.append(octet) }
        if octets.isEmpty { octets += "X-Unnamed".utf8 }
        (nameEnd, colon) = (octets.count, octets.count)
        octets.append(58)
        for _ in 0..<blanks { octets.append(32) }
        Self.add(value, to: &octets)
        bytes = octets
    }

    /// The name as written.
    public var name: String { String(decoding: bytes[..<nameEnd], as: UTF8.self) }

    /// The octets after the colon, with leading blank and folding.
    public var rawValue: ArraySlice<UInt8> { bytes[(colon + 1)...] }

    /// The value unfolded (RFC 5322 §2.2.3), without blanks at its ends; octets that are not UTF-8 become U+FFFD.
    public var value: String {
        var out = rawValue.filter { $0 != 13 && $0 != 10 }[...]
        while let first = out.first, first == 32 || first == 9 { out = out.dropFirst() }
        while let last = out.last, last == 32 || last == 9 { out = out.dropLast() }
        return String(decoding: out, as: UTF8.self)
    }

    /// The same with encoded words decoded (RFC 2047): what a reader sees.
    public var decodedValue: String {
        let text = EncodedWords.decode(rawValue).unicodeScalars
        let isBlank: (Unicode.Scalar) -> Bool = { $0 == " " || $0 == "\t" }
        let ending = text.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        return String(String.UnicodeScalarView(ending))
    }

    /// Compares the name without regard to ASCII case and without making a string of it.
    public func isNamed(_ other: String) -> Bool {
        var other = other
        return other.withUTF8 { other in
            guard other.count == nameEnd else { return false }
            for i in 0..<nameEnd where Self.lower(bytes[i]) != Self.lower(other[i]) { return false }
            return true
        }
    }

    public var description: String { String(decoding: bytes, as: UTF8.self) }

    static func nameAndColon(in line: ArraySlice<UInt8>) -> (nameEnd: Int, colon: Int)? {
        var i = line.startIndex
        while i < line.endIndex, line[i] > 32, line[i] < 127, line[i] != 58 { i += 1 }
        let nameEnd = i
        while i < line.endIndex, line[i] == 32 || line[i] == 9 { i += 1 }
        guard nameEnd > line.startIndex, i < line.endIndex, line[i] == 58 else { return nil }
        return (nameEnd - line.startIndex, i - line.startIndex)
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte >= 65 && byte <= 90 ? byte | 0x20 : byte }

    /// Normalises every line end to CRLF, keeps it only where a blank follows (folding), and drops NULs.
    private static func add(_ value: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
        guard value.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) else { return out.append(contentsOf: value) }
        var i = 0
        while i < value.count {
            let byte = value[i]
            guard byte == 13 || byte == 10 else {
                if byte != 0 { out.append(byte) }
                i += 1
                continue
            }
            i += byte == 13 && i + 1 < value.count && value[i + 1] == 10 ? 2 : 1
            if i < value.count, value[i] == 32 || value[i] == 9 {
                out.append(13)
                out.append(10)
            } else if i < value.count { out.append(32) }
        }
    }
}
