/// An RSA public key's DER, looked into far enough to know its size and to give it one form.
///
/// RFC 6376 §3.6.1 says `RSAPublicKey`; what everybody publishes is the `SubjectPublicKeyInfo` around it (erratum
/// 3017). Both are taken; ``subjectPublicKeyInfo`` is always the second, which is what libcrypto reads.
struct RSAPublicKeyInfo: Sendable, Hashable {
    /// Bits of the modulus.
    let modulusBits: Int
    let subjectPublicKeyInfo: [UInt8]

    /// AlgorithmIdentifier of rsaEncryption with NULL parameters (RFC 3279 §2.3.1).
    private static let algorithm: [UInt8] = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00]

    init?(der: [UInt8]) {
        var outer = DERReader(der[...])
        guard var sequence = outer.element(0x30).map(DERReader.init), outer.atEnd else { return nil }
        if let bits = Self.modulusBits(sequence) {
            modulusBits = bits
            let key = Self.wrap(0x03, [0] + der)
            subjectPublicKeyInfo = Self.wrap(0x30, Self.algorithm + key)
            return
        }
        guard let identifier = sequence.element(0x30), identifier.starts(with: Self.algorithm[2..<13]),
            let string = sequence.element(0x03), sequence.atEnd, string.first == 0 else { return nil }
        var inner = DERReader(string.dropFirst())
        guard let key = inner.element(0x30), inner.atEnd, let bits = Self.modulusBits(DERReader(key)) else { return nil }
        modulusBits = bits
        subjectPublicKeyInfo = der
    }

    /// Bits of the first of exactly two INTEGERs, both positive.
    private static func modulusBits(_ reader: DERReader) -> Int? {
        var reader = reader
        guard let modulus = reader.element(0x02), let exponent = reader.element(0x02), reader.atEnd,
            let sign = modulus.first, sign < 0x80, let exponentSign = exponent.first, exponentSign < 0x80 else { return nil }
        let significant = modulus.drop { $0 == 0 }
        guard let top = significant.first else { return nil }
        return significant.count * 8 - top.leadingZeroBitCount
    }

    private static func wrap(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        let length: [UInt8] = count < 0x80 ? [UInt8(count)]
            : count < 0x100 ? [0x81, UInt8(count)] : [0x82, UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)]
        return [tag] + length + content
    }
}

/// Definite-length DER, elements of up to 65,535 octets (X.690 §8.1).
private struct DERReader {
    private var rest: ArraySlice<UInt8>
    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var atEnd: Bool { rest.isEmpty }

    /// The content of the next element if it has that tag.
    mutating func element(_ tag: UInt8) -> ArraySlice<UInt8>? {
        guard rest.first == tag, rest.count >= 2 else { return nil }
        var body = rest.dropFirst(2)
        var length = Int(rest[rest.startIndex + 1])
        if length >= 0x80 {
            let octets = length & 0x7f
            guard (1...2).contains(octets), body.count >= octets else { return nil }
            length = body.prefix(octets).reduce(0) { $0 << 8 | Int($1) }
            body = body.dropFirst(octets)
        }
        guard length <= body.count else { return nil }
        rest = body.dropFirst(length)
        return body.prefix(length)
    }
}
