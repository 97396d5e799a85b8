import Foundation
import InternetMessage

/// A message that is sent to ourselves through one door, and known again by its Message-ID.
public struct TrialMessage: Sendable, Hashable {
    /// `smtp`
    public let door: String
    public let recipient: EmailAddress
    /// Whom `From:` names; nil: somebody who can be nobody, since a stranger's door must not bear our domain.
    let author: EmailAddress?
    let id: String
    let date: Date

    public init(door: String, recipient: EmailAddress, author: EmailAddress?, date: Date = Date()) {
        self.door = door
        self.recipient = recipient
        self.author = author
        id = "\(UInt64.random(in: 0...UInt64.max))@postern-doctor.invalid"
        self.date = date
    }

    var fields: [(name: String, value: String)] {
        [("From", author.map { "<\($0)>" } ?? "<postern-doctor@postern-doctor.invalid>"), ("To", "<\(recipient)>"), ("Subject", "postern doctor: \(door)"),
         ("Date", MailDate(unixTime: Int64(date.timeIntervalSince1970)).description), ("Message-ID", "<\(id)>"), ("Auto-Submitted", "auto-generated")]
    }

    /// With CRLF, and no line that begins with a dot.
    public var text: String {
        fields.map { "\($0.name): \($0.value)\r\n" }.joined() + "\r\nSent by postern doctor through \(door); it is removed again.\r\n"
    }

    /// Whether a stored file is this message.
    public func isIn(_ bytes: Data) -> Bool { bytes.range(of: Data("<\(id)>".utf8)) != nil }
}
