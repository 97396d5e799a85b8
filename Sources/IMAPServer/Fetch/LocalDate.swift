import InternetMessage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension MailDate {
    /// In the machine's time zone as it was then: that is how INTERNALDATE is shown, and what BEFORE, ON and SINCE mean by a
    /// day (RFC 3501 §6.4.4 disregards the zone), as people who run a server for their own country expect.
    static func local(_ unixTime: Int64) -> MailDate {
        var seconds = time_t(unixTime), parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return MailDate(unixTime: unixTime) }
        return MailDate(unixTime: unixTime, zoneMinutes: parts.tm_gmtoff / 60)
    }
}
