import InternetMessage

/// MAIL and RCPT (RFC 5321 §3.3).
extension ServerStateMachine {
    mutating func takeMail(_ command: MailCommand) -> [ServerAction] {
        takesUTF8 = command.smtpUTF8
        guard hello != nil else { return respond(ServerReplies.needHello) }
        guard isAuthenticated || !settings.requiresAuthentication else { return respond(ServerReplies.needAuthentication) }
        guard mail == nil else { return respond(ServerReplies.nestedMail) }
        // What was not offered is not known (RFC 5321 §4.1.1.11).
        guard isTLS || command.parameters["REQUIRETLS"] == nil else { return respond(CommandError.unknownParameter("REQUIRETLS").reply) }
        // RFC 1870 §6.1
        guard command.size ?? 0 <= settings.messageSizeLimit else { return respond(ServerReplies.tooLarge) }
        return ask(.mail(command), .mail(command))
    }

    mutating func answerMail(_ command: MailCommand, _ answer: ServerAnswer) -> [ServerAction] {
        if case .no(let reply) = answer { return respond(reply) }
        mail = Mail(smtpUTF8: command.smtpUTF8)
        return respond(SMTPReply(250, "2.1.0", "Ok"))
    }

    mutating func takeRecipient(_ command: RecipientCommand) -> [ServerAction] {
        guard let mail else { return respond(ServerReplies.needMail) }
        // RFC 5321 §4.5.3.1.10: 452, and what came before stands.
        guard mail.recipients < settings.recipientLimit else { return respond(ServerReplies.tooManyRecipients) }
        guard !mail.isChunked else { return respond(SMTPReply(503, "5.5.1", "Error: RCPT after BDAT")) }
        guard !command.needsSMTPUTF8 || mail.smtpUTF8 else { return respond(CommandError.needsSMTPUTF8.reply) }
        return ask(.recipient(command), .recipient)
    }

    mutating func answerRecipient(_ answer: ServerAnswer) -> [ServerAction] {
        if case .no(let reply) = answer { return respond(reply) }
        mail?.recipients += 1
        return respond(SMTPReply(250, "2.1.5", "Ok"))
    }
}
