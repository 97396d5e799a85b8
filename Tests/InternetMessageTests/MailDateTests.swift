import InternetMessage
import Testing

@Suite struct MailDateTests {
    @Test(arguments: [
        ("Fri, 21 Nov 1997 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"),
        ("Tue, 1 Jul 2003 10:52:37 +0200", "Tue, 1 Jul 2003 10:52:37 +0200"),
        // RFC 5322 Appendix A.5 and A.6.2
        ("Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)", "Thu, 13 Feb 1969 23:32:00 -0330"),
        ("21 Nov 97 09:55:06 GMT", "Fri, 21 Nov 1997 09:55:06 +0000"),
        ("Mon, 3 Feb 03 1:02 EST", "Mon, 3 Feb 2003 01:02:00 -0500"),
        ("Mon (a) , 3 (b) feb (c) 103 (d) 01 (e) : 02 : 03 pdt", "Mon, 3 Feb 2003 01:02:03 -0700"),
        ("Mon 3 Feb 2003 01:02:03", "Mon, 3 Feb 2003 01:02:03 +0000"),
        ("3 Feb 2003 01:02:03 K", "Mon, 3 Feb 2003 01:02:03 +0000"),
        ("31 Dec 2016 23:59:60 +0000", "Sat, 31 Dec 2016 23:59:60 +0000"),
        ("29 Feb 2000 00:00:00 -0000", "Tue, 29 Feb 2000 00:00:00 +0000"),
    ])
    func parsing(_ text: String, _ expected: String) { #expect(MailDate(text)?.description == expected) }

    @Test(arguments: [
        "", "Mon", "32 Jan 2000 00:00:00 +0000", "29 Feb 1900 00:00:00 +0000", "1 Foo 2000 00:00:00 +0000", "1 Jan 2000", "1 Jan 2000 24:00:00 +0000",
        "1 Jan 2000 00:60 +0000", "1 Jan 2000 00:00:00 +00", "1 Jan 2000 00:00:00 +0060", "1 Jan 20000 00:00:00 +0000", "1 Jan 2 00:00:00 +0000",
    ])
    func refused(_ text: String) { #expect(MailDate(text) == nil) }

    @Test func unixTime() {
        #expect(MailDate("1 Jan 1970 00:00:00 +0000")?.unixTime == 0)
        #expect(MailDate("1 Jan 1970 01:00:00 +0100")?.unixTime == 0)
        #expect(MailDate("9 Sep 2001 01:46:40 +0000")?.unixTime == 1_000_000_000)
        #expect(MailDate(unixTime: 1_000_000_000, zoneMinutes: -300).description == "Sat, 8 Sep 2001 20:46:40 -0500")
        #expect(MailDate(unixTime: -1).description == "Wed, 31 Dec 1969 23:59:59 +0000")
        #expect(MailDate(unixTime: .min).unixTime < 0 && MailDate(unixTime: .max).year == 9999)
    }

    @Test func everyDayRoundTrips() {
        for day in stride(from: Int64(-200_000), to: 200_000, by: 97) {
            let date = MailDate(unixTime: day * 86400 + 12345, zoneMinutes: 330)
            #expect(date.unixTime == day * 86400 + 12345)
            #expect(MailDate(date.description) == date)
        }
    }

    /// RFC 3501 §9: date-day-fixed is two digits or a blank and a digit.
    @Test func imapForm() {
        #expect(MailDate("7 Feb 1994 21:52:25 -0800")?.imapText == " 7-Feb-1994 21:52:25 -0800")
        #expect(MailDate("17 Jul 1996 02:44:25 -0700")?.imapText == "17-Jul-1996 02:44:25 -0700")
    }
}
