/// `; attribute=value` pairs of Content-Type and Content-Disposition (RFC 2045 §5.1), with RFC 2231 understood on demand.
public struct MIMEParameters: Sendable, Hashable {
    public struct Parameter: Sendable, Hashable {
        /// As written, `*0*` and the like included; IMAP hands it on so.
        public let name: String
        /// Octets, quoting removed.
        public let value: [UInt8]

        public init(_ name: String, _ value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    public let list: [Parameter]

    public init(_ list: [Parameter] = []) { self.list = list }

    /// Parameters beyond this many are not read.
    static let limit = 200

    /// The parameter's octets, name compared without case, RFC 2231 continuations joined and percent octets decoded.
    public func bytes(_ name: String) -> [UInt8]? { resolve(name)?.bytes }

    /// The parameter as text: by its RFC 2231 charset, else UTF-8, with RFC 2047 words decoded, which many mailers write
    /// here although they must not.
    public subscript(_ name: String) -> String? {
        guard let found = resolve(name) else { return nil }
        if let charset = found.charset { return Charset.decode(found.bytes, charset: charset) }
        return EncodedWords.decode(found.bytes)
    }

    /// RFC 2231: `name*`, then `name*0`, `name*0*`…, then the plain name.
    private func resolve(_ name: String) -> (bytes: [UInt8], charset: String?)? {
        let name = name.lowercased()
        let values = Dictionary(list.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
        if let extended = values[name + "*"] { return Self.extended(extended) }
        return Self.continuation(name, values) ?? values[name].map { ($0, nil) }
    }

    /// RFC 2231 §3 and §4.1: pieces numbered from 0, each with or without percent encoding; the first names the charset.
    private static func continuation(_ name: String, _ values: [String: [UInt8]]) -> (bytes: [UInt8], charset: String?)? {
        var out: [UInt8] = []
        var charset: String?
        for index in 0..<values.count {
            if let piece = values["\(name)*\(index)*"] {
                if index == 0 {
                    let first = extended(piece)
                    charset = first.charset
                    out += first.bytes
                } else {
                    out += percentDecoded(piece)
                }
            } else if let piece = values["\(name)*\(index)"] {
                out += piece
            } else {
                return index == 0 ? nil : (out, charset)
            }
        }
        return values.isEmpty ? nil : (out, charset)
    }

    /// `charset'language'percent-encoded`.
    private static func extended(_ value: [UInt8]) -> (bytes: [UInt8], charset: String?) {
        let parts = value.split(separator: 39, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return (percentDecoded(value), nil) }
        return (percentDecoded(parts[2]), parts[0].isEmpty ? nil : String(decoding: parts[0], as: UTF8.self))
    }

    private static func percentDecoded(_ text: some Collection<UInt8>) -> [UInt8] {
        let text = Array(text)
        var out: [UInt8] = []
        var i = 0
        while i < text.count {
            if text[i] == 37, i + 2 < text.count, let high = HexDigit.value(text[i + 1]), let low = HexDigit.value(text[i + 2]) {
                out.append(high << 4 | low)
                i += 3
            } else {
                out.append(text[i])
                i += 1
            }
        }
        return out
    }

    /// `*(";" parameter)`; what cannot be read is skipped up to the next semicolon.
    static func parse(_ scanner: inout FieldScanner) -> MIMEParameters {
        var list: [Parameter] = []
        scanner.skipCFWS()
        while !scanner.atEnd, list.count < limit {
            _ = scanner.run { $0 != 59 }
            while scanner.take(59) { scanner.skipCFWS() }
            guard let name = scanner.token() else { continue }
            scanner.skipCFWS()
            guard scanner.take(61) else { continue }
            scanner.skipCFWS()
            if let value = scanner.value() { list.append(Parameter(name, value)) }
            scanner.skipCFWS()
        }
        return MIMEParameters(list)
    }
}

enum HexDigit {
    static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}
