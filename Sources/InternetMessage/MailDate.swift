/// A date and time with its zone, as mail writes it: RFC 5322 §3.3's date-time and RFC 3501's INTERNALDATE.
///
/// Kept in local fields, since SEARCH compares the day that the text shows, whatever its zone.
public struct MailDate: Sendable, Hashable, CustomStringConvertible {
    public let year: Int
    /// 1...12
    public let month: Int
    /// 1...31, valid for the month.
    public let day: Int
    public let hour: Int
    public let minute: Int
    /// 0...60: leap seconds are legal.
    public let second: Int
    /// Minutes east of UTC, −5999...5999.
    public let zoneMinutes: Int

    /// nil when a field is out of range.
    public init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, zoneMinutes: Int = 0) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1, day <= CivilCalendar.days(inMonth: month, of: year),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second), abs(zoneMinutes) < 6000
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.zoneMinutes = zoneMinutes
    }

    /// - Parameters:
    ///   - unixTime: seconds since 1970 in UTC; clamped to the years 1 to 9999.
    ///   - zoneMinutes: the zone to show it in; clamped to a day either way.
    public init(unixTime: Int64, zoneMinutes: Int = 0) {
        let zone = min(max(zoneMinutes, -1439), 1439)
        let local = min(max(unixTime, -62_135_510_400), 253_402_214_400) + Int64(zone * 60)
        let days = local >= 0 ? local / 86400 : (local - 86399) / 86400
        let rest = Int(local - days * 86400)
        (year, month, day) = CivilCalendar.date(fromDays: Int(days))
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
        self.zoneMinutes = zone
    }

    /// Seconds since 1970 in UTC.
    public var unixTime: Int64 {
        Int64(CivilCalendar.days(year: year, month: month, day: day)) * 86400 + Int64(hour * 3600 + minute * 60 + second - zoneMinutes * 60)
    }

    /// RFC 5322 §3.3: `Mon, 7 Feb 1994 21:52:25 -0800`.
    public var description: String {
        let weekday = ((CivilCalendar.days(year: year, month: month, day: day) + 4) % 7 + 7) % 7
        return "\(Self.weekdays[weekday]), \(day) \(Self.months[month - 1]) \(Self.pad(year, 4)) \(time) \(zone)"
    }

    /// RFC 3501's `date-time` without its quotes: ` 7-Feb-1994 21:52:25 -0800`, the day padded with a blank.
    public var imapText: String {
        "\(day < 10 ? " " : "")\(day)-\(Self.months[month - 1])-\(Self.pad(year, 4)) \(time) \(zone)"
    }

    private var time: String { "\(Self.pad(hour)):\(Self.pad(minute)):\(Self.pad(second))" }

    private var zone: String {
        let size = abs(zoneMinutes)
        return (zoneMinutes < 0 ? "-" : "+") + Self.pad(size / 60) + Self.pad(size % 60)
    }

    private static func pad(_ value: Int, _ width: Int = 2) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(width - digits.count, 0)) + digits
    }

    static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// The month's number from its English abbreviation, case ignored.
    public static func month(named name: some StringProtocol) -> Int? {
        let name = name.lowercased()
        return months.firstIndex { $0.lowercased() == name }.map { $0 + 1 }
    }
}

/// The Gregorian calendar, extended both ways.
enum CivilCalendar {
    static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01, counted in eras of 400 years that begin in March.
    static func days(year: Int, month: Int, day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468
    }

    static func date(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
        let z = days + 719468
        let era = (z >= 0 ? z : z - 146096) / 146097
        let dayOfEra = z - era * 146097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted + (shifted < 10 ? 3 : -9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}
