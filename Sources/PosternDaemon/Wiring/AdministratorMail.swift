import Delivery
import Foundation
import InternetMessage
import MailQueue
import SMTPServer

/// Mail from the gateway to whoever runs it: `postmaster` at our host name.
struct AdministratorMail: Sendable {
    let live: Live
    let filter: NoticeFilter
    let acceptor: MailAcceptor
    let ids: TransactionIDs

    /// Returns when it is durable.
    /// - Parameter lines: US-ASCII, without line ends.
    /// - Throws: why it could not be taken.
    func send(subject: String, lines: [String]) async throws {
        let parts = live.current
        let host = parts.settings[Known.myhostname]
        let to = EmailAddress(localPart: "postmaster", domain: host), id = ids.next()
        let header = MessageHeader([
            HeaderField(name: "Date", value: MailDate(unixTime: Int64(Date().timeIntervalSince1970)).description),
            HeaderField(name: "From", value: "Mail Delivery System <MAILER-DAEMON@\(host.text)>"),
            HeaderField(name: "To", value: "<\(to)>"),
            HeaderField(name: "Subject", value: subject),
            HeaderField(name: "Message-ID", value: "<\(id)@\(host.text)>"),
            // RFC 3834 §5: nobody asked for it.
            HeaderField(name: "Auto-Submitted", value: "auto-generated"),
        ])
        let text = lines.map { $0 + "\r\n" }.joined()
        let notice = Submission(id: id, sender: QueueSender(nil), recipients: try RecipientRoute.generated(to, parts.book),
                                message: Message(header: header, body: MessageBody(Array(text.utf8))))
        _ = try await acceptor.accept(try await filter.pass(notice, mayWait: false))
    }
}
