/// Mailbox names' own encoding (RFC 3501 §5.1.3): printable US-ASCII stands for itself, `&` is `&-`, and everything
/// else is UTF-16 in base64 with `,` for `/`, between `&` and `-`.
public enum ModifiedUTF7 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,".utf8)

    public static func encode(_ text: String) -> String {
        var out: [UInt8] = []
        var shifted: [UInt16] = []
        for scalar in text.unicodeScalars {
            if scalar.value >= 32, scalar.value < 127 {
                flush(&shifted, into: &out)
                out.append(UInt8(scalar.value))
                if scalar == "&" { out.append(45) }
            } else {
                shifted += Array(UTF16.encode(scalar) ?? .init())
            }
        }
        flush(&shifted, into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// - Returns: nil for what is not well-formed: a shift without end, stray or non-zero filling bits, half a
    ///   surrogate pair, or printable US-ASCII hidden in base64, which RFC 3501 forbids.
    public static func decode(_ text: some Sequence<UInt8>) -> String? {
        var out = String.UnicodeScalarView()
        var shift: [UInt8]?
        for byte in text {
            if let run = shift {
                guard byte == 45 else {
                    shift = run + [byte]
                    guard run.count < 4096 else { return nil }
                    continue
                }
                if run.isEmpty { out.append("&") } else {
                    guard let scalars = decodeRun(run) else { return nil }
                    out.append(contentsOf: scalars)
                }
                shift = nil
            } else if byte == 38 {
                shift = []
            } else {
                guard byte >= 32, byte < 127 else { return nil }
                out.append(Unicode.Scalar(byte))
            }
        }
        return shift == nil ? String(out) : nil
    }

    private static func flush(_ units: inout [UInt16], into out: inout [UInt8]) {
        guard !units.isEmpty else { return }
        out.append(38)
        var bits = 0, count = 0
        for unit in units {
            bits = bits << 16 | Int(unit)
            count += 16
            while count >= 6 {
                count -= 6
                out.append(alphabet[bits >> count & 63])
            }
            bits &= (1 << count) - 1
        }
        if count > 0 { out.append(alphabet[bits << (6 - count) & 63]) }
        out.append(45)
        units = []
    }

    private static func decodeRun(_ run: [UInt8]) -> [Unicode.Scalar]? {
        var units: [UInt16] = []
        var bits = 0, count = 0
        for byte in run {
            guard let value = alphabet.firstIndex(of: byte) else { return nil }
            bits = bits << 6 | value
            count += 6
            if count >= 16 {
                count -= 16
                units.append(UInt16(bits >> count))
                bits &= (1 << count) - 1
            }
        }
        guard count < 6, bits == 0, !units.isEmpty else { return nil }
        var scalars: [Unicode.Scalar] = []
        var decoder = UTF16(), source = units.makeIterator()
        while true {
            switch decoder.decode(&source) {
            case .scalarValue(let scalar):
                guard scalar.value < 32 || scalar.value > 126 else { return nil }
                scalars.append(scalar)
            case .emptyInput: return scalars
            case .error: return nil
            }
        }
    }
}
