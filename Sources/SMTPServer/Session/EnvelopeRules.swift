import Accounts
import InternetMessage

/// Who may send as whom to whom. Relay for strangers is impossible: no setting leads around these two functions.
enum EnvelopeRules {
    /// As Postfix's `reject_sender_login_mismatch`: who logged in sends as an address the account owns, or as nobody
    /// (`<>`: dispositions and delivery reports have no sender, RFC 5321 §4.5.5).
    /// - Returns: the refusal; nil when it may be.
    static func refusal(ofSender sender: EmailAddress?, by account: Account?, delimiter: String) -> SMTPReply? {
        guard let sender, let account else { return nil }
        if account.owns(sender) || account.owns(sender.splittingDetail(delimiters: delimiter).base) { return nil }
        return SMTPReply(553, "5.7.1", "<\(sender)>: Sender address rejected: not owned by user \(account.name)")
    }

    /// - Parameter isOwn: whether the client logged in or belongs to the own networks.
    /// - Returns: the refusal; nil when the recipient is taken.
    static func refusal(of recipient: EmailAddress, _ standing: RecipientStanding, isOwn: Bool) -> SMTPReply? {
        switch standing {
        case .local: nil
        case .relay: isOwn ? nil : SMTPReply(554, "5.7.1", "<\(recipient)>: Relay access denied")
        case .unknown: SMTPReply(550, "5.1.1", "<\(recipient)>: Recipient address rejected: User unknown")
        case .full(let isTemporary): SMTPReply(isTemporary ? 452 : 552, isTemporary ? "4.2.2" : "5.2.2", "<\(recipient)>: Recipient's mailbox is full")
        case .unavailable: SMTPReply(451, "4.3.0", "<\(recipient)>: Temporary lookup failure")
        }
    }
}
