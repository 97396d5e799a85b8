import InternetMessage
import NetworkAddress
import Pickup
import Testing

@Suite struct LocalHeaderTests {
    private func complete(_ text: String, sender: String? = "www@example.org", name: String? = nil) -> MessageHeader {
        var header = MessageHeader.parse(Array(text.replacing("\n", with: "\r\n").utf8)[...]).header
        LocalHeader(id: "ID1", hostname: "mail.example.org", origin: .name(DomainName("example.org")!), sender: sender.flatMap { EmailAddress($0) }, fullName: name,
                    userID: 33, time: 0).complete(&header)
        return header
    }

    @Test func whatIsMissingIsAdded() {
        let header = complete("Subject: x\n", name: "Web (Server)")
        #expect(header.first("Received")?.value == "by mail.example.org (Postern, from userid 33)\tid ID1; Thu, 1 Jan 1970 00:00:00 +0000")
        #expect(header.fields.first?.name == "Received")
        #expect(header.first("From")?.value == "\"Web (Server)\" <www@example.org>")
        #expect(header.first("Date")?.value == "Thu, 1 Jan 1970 00:00:00 +0000")
        #expect(header.first("Message-ID")?.value == "<ID1@mail.example.org>")
        #expect(header.first("To")?.value == "undisclosed-recipients:;")
    }

    @Test func whatIsThereStays() {
        let header = complete("From: a@x.example\nDate: then\nMessage-ID: <1@x.example>\nCc: b@x.example\nSubject: x\n")
        #expect(header.fields.dropFirst().map(\.description) == ["From: a@x.example", "Date: then", "Message-ID: <1@x.example>", "Cc: b@x.example", "Subject: x"])
    }

    @Test func hiddenRecipientsAndTraceFieldsGo() {
        let header = complete("Bcc: secret@x.example\nReturn-Path: <x@x.example>\nContent-Length: 5\nResent-Bcc: y@x.example\nTo: a@x.example\n")
        for name in ["Bcc", "Return-Path", "Content-Length", "Resent-Bcc"] { #expect(header.first(name) == nil, "\(name)") }
    }

    @Test func bareNamesGetADomain() {
        let header = complete("From: root (Cron Daemon)\nTo: root, \"A, B\" <b>, Team: c, d@x.example;\n")
        #expect(header.first("From")?.value == "\"Cron Daemon\" <root@example.org>" || header.first("From")?.value == "Cron Daemon <root@example.org>")
        #expect(header.first("To")?.value == "root@example.org,\t\"A, B\" <b@example.org>,\tTeam: c@example.org, d@x.example;")
    }

    /// Fields that need nothing keep their octets.
    @Test func completeFieldsAreNotTouched() {
        let field = "To:  a@x.example ,\n\tB (c) <b@x.example>\n"
        #expect(complete(field).first("To")?.bytes == Array(field.dropLast().replacing("\n", with: "\r\n").utf8))
    }

    @Test func theNullSendersAuthor() { #expect(complete("", sender: nil).first("From")?.value == "MAILER-DAEMON@example.org") }

    @Test func resentMailGetsResentFields() {
        let header = complete("Resent-To: x@x.example\nFrom: a@x.example\nDate: then\nMessage-ID: <1@x.example>\n")
        #expect(header.first("Resent-From") != nil && header.first("Resent-Date") != nil && header.first("Resent-Message-ID") != nil)
        #expect(header.count(of: "Date") == 1 && header.first("Date")?.value == "then")
    }
}
