import InternetMessage
import NetworkAddress
import Pickup
import SMTPCore
import Testing

@Suite struct StdioSessionTests {
    private final class Dropped {
        var mail: [(DropEnvelope, String)] = []
    }

    @Test(arguments: [1, 5, Int.max]) func aMessageIsDropped(_ piece: Int) {
        let dropped = Dropped()
        var session = StdioSession(settings: ServerSettings(hostname: "mail.example.org"), origin: .name(DomainName("example.org")!)) { envelope, content in
            dropped.mail.append((envelope, String(decoding: content, as: UTF8.self)))
            return SMTPReply(250, "2.0.0", "Ok: queued")
        }
        var replies = String(decoding: session.start(), as: UTF8.self)
        var rest = Array("EHLO here\r\nMAIL FROM:<a@x.example> RET=HDRS\r\nRCPT TO:<b@x.example> NOTIFY=NEVER\r\nRCPT TO:<postmaster>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nRSET\r\nMAIL FROM:<>\r\nQUIT\r\n".utf8)[...]
        while !rest.isEmpty {
            replies += String(decoding: session.take(rest.prefix(piece)), as: UTF8.self)
            rest = rest.dropFirst(min(piece, rest.count))
        }
        #expect(session.isOver)
        #expect(dropped.mail.count == 1)
        #expect(dropped.mail.first?.1 == "Subject: x\r\n\r\n.dot\r\n")
        #expect(dropped.mail.first?.0.sender?.description == "a@x.example")
        #expect(dropped.mail.first?.0.senderParameters == ["RET": "HDRS"])
        #expect(dropped.mail.first?.0.recipients == [.init(EmailAddress("b@x.example")!, parameters: ["NOTIFY": "NEVER"]), .init(EmailAddress("postmaster@example.org")!)])
        let codes = replies.split(separator: "\r\n").filter { $0.dropFirst(3).first == " " }.map { $0.prefix(3) }
        #expect(codes == ["220", "250", "250", "250", "250", "354", "250", "250", "250", "221"])
    }
}
