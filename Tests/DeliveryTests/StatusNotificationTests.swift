@testable import Delivery
import SMTPCore
import Foundation
import InternetMessage
import MailQueue
import Testing

@Suite struct StatusNotificationTests {
    static let time = Date(timeIntervalSince1970: 1_700_000_000)

    static func notification(_ action: StatusNotification.Action = .failed, returning: QueueSender.ReturnContent? = nil,
                             recipient: String = "bob@x.test", body: String = "secret body\r\n") throws -> StatusNotification {
        let address = try #require(EmailAddress(recipient))
        let note = DeliveryNote(status: "5.1.1", text: "no such user\nreally", replyCode: 550, remoteMTA: "mx.x.test", time: time)
        let queued = QueueRecipient(address, originalRecipient: "rfc822;b+2Bob@x.test", status: .fresh(at: time))
        return StatusNotification(
            id: "n1", action: action, hostName: "us.test", sender: QueueSender(EmailAddress("alice@us.test"), returnContent: returning, envelopeID: "E+201"),
            to: try #require(EmailAddress("alice@us.test")), originalID: "m1", arrival: time, now: time, retryUntil: time + 86400,
            entries: [.init(queued, note)], original: Message(parsing: Array(("Message-ID: <1@us.test>\r\nSubject: hello\r\n\r\n" + body).utf8)))
    }

    static func text(_ notification: StatusNotification) throws -> String {
        String(decoding: try notification.message().bytes(), as: UTF8.self).replacingOccurrences(of: "\r\n", with: "\n")
    }

    @Test func whatTLSPreventedIsNoRefusal() throws {
        var one = try Self.notification()
        #expect(try !Self.text(one).contains("Nobody refused it"))
        one.entries[0].note = DeliveryNote(status: "5.4.7", text: "TLS is required", cause: "tls", time: Self.time)
        #expect(try Self.text(one).contains("Nobody refused it"))
    }

    @Test func theWholeMessage() throws {
        #expect(try Self.text(Self.notification()) == """
            Date: Tue, 14 Nov 2023 22:13:20 +0000
            From: Mail Delivery System <MAILER-DAEMON@us.test>
            To: <alice@us.test>
            Subject: Your message could not be delivered
            Message-ID: <n1@us.test>
            Auto-Submitted: auto-replied
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=delivery-status;
             boundary="=_n1_report"
            In-Reply-To: <1@us.test>
            References: <1@us.test>

            This is a MIME-encapsulated message.

            --=_n1_report
            Content-Type: text/plain; charset=us-ascii

            This is the mail system at us.test.

            Your message could not be delivered to the recipients below.
            It will not be tried again; the reason follows each address.

            <bob@x.test>
                mx.x.test said: 550 5.1.1 no such user really

            Subject of your message: hello

            --=_n1_report
            Content-Type: message/delivery-status

            Original-Envelope-Id: E 1
            Reporting-MTA: dns; us.test
            X-Queue-ID: m1
            Arrival-Date: Tue, 14 Nov 2023 22:13:20 +0000

            Original-Recipient: rfc822;b+ob@x.test
            Final-Recipient: rfc822; bob@x.test
            Action: failed
            Status: 5.1.1
            Remote-MTA: dns; mx.x.test
            Diagnostic-Code: smtp; 550 5.1.1 no such user really
            Last-Attempt-Date: Tue, 14 Nov 2023 22:13:20 +0000

            --=_n1_report
            Content-Type: text/rfc822-headers

            Message-ID: <1@us.test>
            Subject: hello


            --=_n1_report--

            """)
    }

    @Test func theMessageItselfOnlyWhenItFailedAndRETSaysFULL() throws {
        #expect(try Self.text(Self.notification(returning: .full)).contains("Content-Type: message/rfc822\n\nMessage-ID: <1@us.test>\nSubject: hello\n\nsecret body\n"))
        for other in [try Self.notification(returning: .headers), try Self.notification(), try Self.notification(.delayed, returning: .full),
                      try Self.notification(returning: .full, body: String(repeating: "x\r\n", count: 20_000))] {
            #expect(try !Self.text(other).contains("Content-Type: message/rfc822\n"))
            #expect(try !Self.text(other).contains("secret body"))
        }
    }

    @Test func theStatusClassAgreesWithTheAction() throws {
        #expect(try Self.text(Self.notification(.delayed)).contains("Action: delayed\nStatus: 4.1.1\n"))
        #expect(try Self.text(Self.notification(.relayed)).contains("Action: relayed\nStatus: 2.1.1\n"))
        #expect(try Self.text(Self.notification(.delayed)).contains("Will-Retry-Until: Wed, 15 Nov 2023 22:13:20 +0000\n"))
    }

    @Test func anInternationalAddressTakesRFC6533sForm() throws {
        var notification = try Self.notification(recipient: "b\u{fc}cher@x.test")
        notification.sender.smtpUTF8 = true
        let text = try Self.text(notification)
        #expect(text.contains("Content-Type: message/global-delivery-status\nContent-Transfer-Encoding: 8bit\n"))
        #expect(text.contains("Final-Recipient: utf-8; b\u{fc}cher@x.test\n"))
        #expect(text.contains("charset=utf-8"))
    }

    @Test func aLongDiagnosisIsFoldedAndNothingIsInjected() throws {
        var notification = try Self.notification()
        notification.entries[0].note.text = String(repeating: "word ", count: 60) + "\r\nAction: delivered"
        let lines = try Self.text(notification).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.allSatisfy { $0.utf8.count <= 80 })
        #expect(lines.filter { $0.hasPrefix("Action:") } == ["Action: failed"])
    }

    @Test(arguments: [("plain", "plain"), ("a+2Bb", "a+b"), ("+C3+BC", "\u{fc}"), ("", "")]) func xtext(text: String, decoded: String) {
        #expect(Xtext.decode(text) == decoded)
    }

    @Test(arguments: ["a+2", "a+", "a+ZZ", "a b", "a=b", "+FF"]) func whatIsNoXtext(text: String) { #expect(Xtext.decode(text) == nil) }

    /// RFC 6533 §3: a sender who never said SMTPUTF8 may have no way to get it.
    @Test func anInternationalAddressForAnASCIISender() throws {
        var notification = try Self.notification(recipient: "b\u{fc}+cher@x.test")
        notification.entries[0].recipient.originalRecipient = "utf-8;caf\\x{E9}@x.test"
        notification.entries[0].note.text = "Empf\u{e4}nger unbekannt"
        let text = try Self.text(notification)
        #expect(text.contains("Content-Type: message/delivery-status\n\n"))
        #expect(text.contains("Original-Recipient: utf-8;caf\\x{E9}@x.test\nFinal-Recipient: utf-8; b\\x{FC}\\x{2B}cher@x.test\n"))
        #expect(text.contains("Diagnostic-Code: smtp; 550 5.1.1 Empf?nger unbekannt\n"))
        #expect(!notification.isInternational)
        notification.sender.smtpUTF8 = true
        #expect(try Self.text(notification).contains("Original-Recipient: utf-8;caf\u{e9}@x.test\nFinal-Recipient: utf-8; b\u{fc}+cher@x.test\n"))
        #expect(notification.isInternational)
    }

    @Test func aHeaderOfTheOriginalWithOctetsAbove127() throws {
        var notification = try Self.notification()
        notification.original = Message(parsing: Array("Message-ID: <\u{fc}@us.test>\nSubject: gr\u{fc}n\n\nx\n".utf8))
        var text = try Self.text(notification)
        #expect(text.contains("Content-Type: text/rfc822-headers\nContent-Transfer-Encoding: 8bit\n"))
        #expect(!text.contains("References:"))
        // RFC 2045 §6.4
        #expect(text.components(separatedBy: "\n\n").first?.contains("\nContent-Transfer-Encoding: 8bit") == true)
        #expect(try Self.text(try Self.notification()).contains("Content-Transfer-Encoding") == false)
        notification.sender.smtpUTF8 = true
        text = try Self.text(notification)
        #expect(text.contains("Content-Type: message/global-headers\nContent-Transfer-Encoding: 8bit\n"))
        #expect(text.contains("References: <\u{fc}@us.test>\n"))
    }

    @Test(arguments: ["Auto-Submitted: auto-generated", "Precedence: bulk", "List-Id: <a.b>", "Precedence: LIST"]) func bulkMail(_ field: String) {
        #expect(StatusNotifier.isBulk(Message(parsing: Array((field + "\n\nx").utf8))))
    }

    @Test(arguments: ["Auto-Submitted: no", "Subject: list", "Precedence: first-class"]) func mailOfPeople(_ field: String) {
        #expect(!StatusNotifier.isBulk(Message(parsing: Array((field + "\n\nx").utf8))))
    }
}
