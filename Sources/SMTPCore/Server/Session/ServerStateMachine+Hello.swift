import InternetMessage

/// The greeting, HELO and EHLO (RFC 5321 §3.1, §4.1.1.1).
extension ServerStateMachine {
    mutating func answerConnect(_ answer: ServerAnswer) -> [ServerAction] {
        guard case .no(let reply) = answer else {
            return respond(SMTPReply(220, nil, "\(settings.hostname) \(settings.banner)"))
        }
        // RFC 5321 §3.1 knows 554 and waits for QUIT; for now means 421, which closes (§3.8).
        guard reply.isPermanent else { return end(SMTPReply(421, reply.enhancedCode, lines: reply.lines)) }
        isRefused = true
        return respond(SMTPReply(554, nil, lines: reply.lines))
    }

    mutating func answerHello(_ name: String, _ extended: Bool, _ answer: ServerAnswer) -> [ServerAction] {
        if case .no(let reply) = answer { return respond(reply) }
        let isFirst = hello == nil
        hello = name
        isExtended = extended
        // §4.1.4: like RSET.
        let abort = dropMail()
        if !isFirst {
            junk += 1
            if junk > settings.junkLimit { errors += 1 }
        }
        return abort + respond(extended ? SMTPReply(250, nil, lines: [settings.hostname] + keywords) : SMTPReply(250, nil, settings.hostname))
    }

    private var keywords: [String] {
        var out = ["PIPELINING", "SIZE \(settings.messageSizeLimit)"]
        if settings.offersTLS, !isTLS { out.append("STARTTLS") }
        // RFC 4954 §4: mechanisms that show the password are offered only where nobody listens.
        if settings.offersAuthentication, isTLS { out.append("AUTH " + mechanisms.joined(separator: " ")) }
        // RFC 8689 §2: only where TLS is in use.
        if isTLS { out.append("REQUIRETLS") }
        if settings.offersXClient { out.append("XCLIENT " + ClientOverride.keywords.joined(separator: " ")) }
        return out + ["ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8", "CHUNKING"]
    }
}
