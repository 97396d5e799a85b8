import InternetMessage

/// `date` and `date-time` (RFC 3501 §9).
enum DateParser {
    /// `DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE`
    static func dateTime(_ scanner: inout Scanner) throws(ScanError) -> MailDate {
        let wrong = ScanError("expected a date and time such as \"17-Jul-1996 02:44:25 -0700\"")
        guard let text = String(validating: try scanner.string(), as: UTF8.self) else { throw wrong }
        let words = text.split(separator: " ")
        guard words.count == 3, let day = Self.day(words[0]) else { throw wrong }
        let time = words[1].split(separator: ":", omittingEmptySubsequences: false).map { digits($0, 2) }
        guard time.count == 3, let hour = time[0], let minute = time[1], let second = time[2], let zone = Self.zone(words[2]),
            let date = MailDate(year: day.year, month: day.month, day: day.day, hour: hour, minute: minute, second: second, zoneMinutes: zone)
        else { throw wrong }
        return date
    }

    /// `date = date-text / DQUOTE date-text DQUOTE`
    static func searchDay(_ scanner: inout Scanner) throws(ScanError) -> SearchDay {
        guard let text = String(validating: try scanner.astring(), as: UTF8.self), let day = Self.day(text[...]) else {
            throw ScanError("expected a date such as 1-Feb-1994")
        }
        return day
    }

    private static func day(_ text: Substring) -> SearchDay? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let day = digits(parts[0], 1) ?? digits(parts[0], 2), let month = MailDate.month(named: parts[1]),
            let year = digits(parts[2], 4), MailDate(year: year, month: month, day: day) != nil else { return nil }
        return SearchDay(year: year, month: month, day: day)
    }

    private static func zone(_ text: Substring) -> Int? {
        guard let sign = text.first, sign == "+" || sign == "-", let value = digits(text.dropFirst(), 4), value % 100 < 60 else { return nil }
        return (value / 100 * 60 + value % 100) * (sign == "-" ? -1 : 1)
    }

    private static func digits(_ text: Substring, _ count: Int) -> Int? {
        text.utf8.count == count && text.utf8.allSatisfy(ASCII.isDigit) ? Int(text) : nil
    }
}
