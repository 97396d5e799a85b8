extension [UInt8] {
    /// The number's digits in ASCII, without a string in between.
    mutating func append(decimal value: UInt64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = digits.count, rest = value
            repeat {
                start -= 1
                digits[start] = 48 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            append(contentsOf: digits[start...])
        }
    }
}

extension UInt64 {
    /// - Parameters:
    ///   - digits: in ASCII; nil for anything else among them, for none, and for more than `limit`.
    ///   - limit: at most 19, which always fit.
    init?(decimal digits: Slice<UnsafeBufferPointer<UInt8>>, limit: Int) {
        guard (1...limit).contains(digits.count) else { return nil }
        self = 0
        for digit in digits {
            guard (48...57).contains(digit) else { return nil }
            self = self * 10 + UInt64(digit - 48)
        }
    }
}
