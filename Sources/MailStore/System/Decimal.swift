extension [UInt8] {
    /// The number's digits in ASCII, without a string in between.
    mutating func append(decimal value: UInt64) {
        guard value > 9 else { return append(48 + UInt8(value)) }
        let start = count
        var rest = value
        while rest > 0 {
            append(48 + UInt8(rest % 10))
            rest /= 10
        }
        self[start...].reverse()
    }
}
