/// Lengths of time as rules write them: `30s`, `5m`, `1h`, `2d`, `1w`; `-1d` lies ahead.
enum PolicyDuration {
    private static let units: [(letter: Character, seconds: Int)] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)]

    /// Seconds, or nil when the text is none or does not fit.
    static func seconds(_ text: String) -> Int? {
        let isNegative = text.hasPrefix("-")
        let digits = text.dropFirst(isNegative ? 1 : 0).dropLast()
        guard let unit = units.first(where: { $0.letter == text.last }), !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }),
            let number = Int(digits) else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.seconds)
        return overflow ? nil : (isNegative ? -product : product)
    }

    /// The shortest way to write it.
    static func text(_ seconds: Int) -> String {
        let unit = units.first { seconds % $0.seconds == 0 && seconds != 0 } ?? ("s", 1)
        return "\(seconds / unit.seconds)\(unit.letter)"
    }
}
