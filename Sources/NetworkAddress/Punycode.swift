/// The Bootstring encoding of RFC 3492 with the parameters of its §5.
enum Punycode {
    private static let base = 36, tMin = 1, tMax = 26, skew = 38, damp = 700, initialBias = 72, initialN = 128

    private static func adapt(_ delta: Int, _ points: Int, _ first: Bool) -> Int {
        var delta = first ? delta / damp : delta / 2
        delta += delta / points
        var k = 0
        while delta > ((base - tMin) * tMax) / 2 { delta /= base - tMin; k += base }
        return k + (base - tMin + 1) * delta / (delta + skew)
    }

    private static func threshold(_ k: Int, _ bias: Int) -> Int { min(max(k - bias, tMin), tMax) }
    private static func digit(_ d: Int) -> UInt8 { UInt8(d < 26 ? d + 97 : d - 26 + 48) }

    /// RFC 3492 §6.3. Returns nil for overlong input.
    static func encode(_ text: String) -> String? {
        let points = text.unicodeScalars.map { Int($0.value) }
        guard points.count <= 63 else { return nil }
        var output = points.filter { $0 < 128 }.map { UInt8($0) }
        var handled = output.count
        let basic = handled
        if basic > 0 { output.append(45) }
        var n = initialN, delta = 0, bias = initialBias
        while handled < points.count {
            guard let m = points.filter({ $0 >= n }).min() else { return nil }
            delta += (m - n) * (handled + 1)
            n = m
            for c in points {
                if c < n { delta += 1 }
                guard c == n else { continue }
                var q = delta, k = base
                while true {
                    let t = threshold(k, bias)
                    if q < t { break }
                    output.append(digit(t + (q - t) % (base - t)))
                    q = (q - t) / (base - t)
                    k += base
                }
                output.append(digit(q))
                bias = adapt(delta, handled + 1, handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// RFC 3492 §6.2. Returns nil for anything that is not well-formed.
    static func decode(_ text: some StringProtocol) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.count <= 63 else { return nil }
        let split = bytes.lastIndex(of: 45) ?? 0
        var output = bytes[..<split].map { Int($0) }
        var n = initialN, i = 0, bias = initialBias
        var position = split > 0 ? split + 1 : 0
        while position < bytes.count {
            let start = i
            var weight = 1, k = base
            while true {
                guard position < bytes.count, let value = digitValue(bytes[position]) else { return nil }
                position += 1
                i += value * weight
                guard i < 0x10ffff * 64 else { return nil }
                let t = threshold(k, bias)
                if value < t { break }
                weight *= base - t
                guard weight < 1 << 40 else { return nil }
                k += base
            }
            bias = adapt(i - start, output.count + 1, start == 0)
            n += i / (output.count + 1)
            i %= output.count + 1
            guard n <= 0x10ffff else { return nil }
            output.insert(n, at: i)
            i += 1
        }
        var result = ""
        for point in output {
            guard let scalar = Unicode.Scalar(UInt32(point)) else { return nil }
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    private static func digitValue(_ byte: UInt8) -> Int? {
        switch byte {
        case 97...122: Int(byte) - 97
        case 65...90: Int(byte) - 65
        case 48...57: Int(byte) - 48 + 26
        default: nil
        }
    }
}
