extension MailDate {
    /// Parses RFC 5322's date-time with the obsolete forms of §4.3: two-digit years, named zones, missing seconds or
    /// zone (taken as UTC), comments and folding between tokens, a missing or wrong day of week.
    /// - Returns: nil for anything else, bounded to 1,000 octets.
    public init?(_ text: some StringProtocol) { self.init(parsing: Array(text.utf8)) }

    public init?(parsing bytes: some Collection<UInt8>) {
        guard bytes.count <= 1000 else { return nil }
        var scanner = FieldScanner(bytes)
        scanner.skipCFWS()
        Self.skipWeekday(&scanner)
        guard let day = Self.number(&scanner, 1...2), let month = Self.monthName(&scanner), let year = Self.year(&scanner),
            let time = Self.time(&scanner), let zone = Self.zone(&scanner) else { return nil }
        self.init(year: year, month: month, day: day, hour: time.hour, minute: time.minute, second: time.second, zoneMinutes: zone)
    }

    /// `[ day-of-week "," ]`; the comma is often missing.
    private static func skipWeekday(_ scanner: inout FieldScanner) {
        guard !letters(&scanner).isEmpty else { return }
        scanner.skipCFWS()
        _ = scanner.take(44)
        scanner.skipCFWS()
    }

    private static func letters(_ scanner: inout FieldScanner) -> String {
        String(decoding: scanner.run { (65...90).contains($0 & 0xdf) && $0 < 128 }, as: UTF8.self)
    }

    /// - Returns: the number, blanks behind it skipped.
    private static func number(_ scanner: inout FieldScanner, _ width: ClosedRange<Int>) -> Int? {
        let digits = scanner.run { (48...57).contains($0) }
        guard width.contains(digits.count) else { return nil }
        scanner.skipCFWS()
        return Int(String(decoding: digits, as: UTF8.self))
    }

    private static func monthName(_ scanner: inout FieldScanner) -> Int? {
        // 7-Feb-1994, which some programs write.
        _ = scanner.take(45)
        let month = month(named: letters(&scanner).prefix(3))
        _ = scanner.take(45)
        scanner.skipCFWS()
        return month
    }

    /// §4.3: two digits 00–49 mean 2000–2049, 50–99 and all three-digit years add 1900.
    private static func year(_ scanner: inout FieldScanner) -> Int? {
        let start = scanner.position
        guard let value = number(&scanner, 2...4) else { return nil }
        let width = scanner.bytes[start...].prefix { (48...57).contains($0) }.count
        switch width {
        case 2: return value < 50 ? value + 2000 : value + 1900
        case 3: return value + 1900
        default: return value
        }
    }

    private static func time(_ scanner: inout FieldScanner) -> (hour: Int, minute: Int, second: Int)? {
        guard let hour = number(&scanner, 1...2), scanner.take(58) else { return nil }
        scanner.skipCFWS()
        guard let minute = number(&scanner, 2...2) else { return nil }
        guard scanner.take(58) else { return (hour, minute, 0) }
        scanner.skipCFWS()
        guard let second = number(&scanner, 2...2) else { return nil }
        return (hour, minute, second)
    }

    /// To the end of the text. Unknown names count as UTC (§4.3: "-0000").
    private static func zone(_ scanner: inout FieldScanner) -> Int? {
        if scanner.atEnd { return 0 }
        if let sign = scanner.peek, sign == 43 || sign == 45 {
            scanner.position += 1
            guard let value = number(&scanner, 4...4), value % 100 < 60 else { return nil }
            return (value / 100 * 60 + value % 100) * (sign == 45 ? -1 : 1)
        }
        let name = letters(&scanner).uppercased()
        guard !name.isEmpty else { return nil }
        let hours = ["EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7][name] ?? 0
        return hours * 60
    }
}
