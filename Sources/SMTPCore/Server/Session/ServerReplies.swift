import InternetMessage

/// The server's own words, with Postfix's where Postfix has some: log readers know them.
enum ServerReplies {
    static let ok = SMTPReply(250, "2.0.0", "Ok")
    static let bye = SMTPReply(221, "2.0.0", "Bye")
    static let help = SMTPReply(214, "2.0.0", "See RFC 5321. Commands: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP STARTTLS AUTH")
    static let verify = SMTPReply(252, "2.0.0", "Cannot VRFY user; try RCPT to attempt delivery")
    static let startData = SMTPReply(354, nil, "End data with <CR><LF>.<CR><LF>")
    static let ready = SMTPReply(220, "2.0.0", "Ready to start TLS")
    static let lmtpHelp = SMTPReply(214, "2.0.0", "See RFC 2033. Commands: LHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP STARTTLS")
    static let needsLHLO = SMTPReply(500, "5.5.1", "Error: this is LMTP; say LHLO (RFC 2033 section 4.1)")
    static let unknownCommand = SMTPReply(500, "5.5.2", "Error: command not recognized")
    static let lineTooLong = SMTPReply(500, "5.5.2", "Error: line too long")
    static let bareLF = SMTPReply(500, "5.5.2", "Error: bare <LF> received; command lines end in <CR><LF> (RFC 5321 section 2.3.8)")
    static let needHello = SMTPReply(503, "5.5.1", "Error: send HELO/EHLO first")
    static let needMail = SMTPReply(503, "5.5.1", "Error: need MAIL command")
    static let nestedMail = SMTPReply(503, "5.5.1", "Error: nested MAIL command")
    /// RFC 2033 §4.2
    static let noLMTPRecipients = SMTPReply(503, "5.5.1", "Error: no valid recipients")
    static let noRecipients = SMTPReply(554, "5.5.1", "Error: no valid recipients")
    static let needTLS = SMTPReply(530, "5.7.0", "Must issue a STARTTLS command first")
    static let needAuthentication = SMTPReply(530, "5.7.0", "Authentication required")
    static let tooManyRecipients = SMTPReply(452, "4.5.3", "Error: too many recipients")
    static let tooLarge = SMTPReply(552, "5.3.4", "Message size exceeds fixed limit")
    static let mixedData = SMTPReply(503, "5.5.1", "Error: DATA after BDAT; only RSET ends the message that BDAT began")
    static let chunkAfterFailure = SMTPReply(503, "5.5.1", "Error: BDAT after a failed BDAT; send RSET")
    static let refusedSession = SMTPReply(503, "5.7.0", "Error: access denied for this client; only QUIT is possible")

    static let notAuthorized = SMTPReply(550, "5.7.0", "Error: insufficient authorization")
    static let overrideInMail = SMTPReply(503, "5.5.1", "Error: MAIL transaction in progress")

    /// RFC 4954 §6
    static let authenticationUnavailable = SMTPReply(454, "4.7.0", "Temporary authentication failure")

    static func notImplemented(_ verb: String) -> SMTPReply { SMTPReply(502, "5.5.1", "Error: \(verb) is not implemented") }

    static func foreign(_ hostname: String) -> SMTPReply { SMTPReply(421, "4.7.0", "\(hostname) This is a mail server, and you speak another protocol") }

    static func tooManyErrors(_ hostname: String) -> SMTPReply { SMTPReply(421, "4.7.0", "\(hostname) Error: too many errors") }

    static func timeout(_ hostname: String) -> SMTPReply { SMTPReply(421, "4.4.2", "\(hostname) Error: timeout exceeded") }

    static func shuttingDown(_ hostname: String) -> SMTPReply { SMTPReply(421, "4.3.2", "\(hostname) Service shutting down, try again later") }

    static func damaged(_ defect: LineDefect) -> SMTPReply {
        SMTPReply(550, "5.6.0", "Message refused: it contains a bare \(defect.text); lines end in <CR><LF> (RFC 5321 section 2.3.8)")
    }

    // RFC 4954 §4 and §6
    static let authenticated = SMTPReply(235, "2.7.0", "Authentication successful")
    static let authenticationFailed = SMTPReply(535, "5.7.8", "Error: authentication failed")
    static let authenticationNotOffered = SMTPReply(503, "5.5.1", "Error: authentication not enabled")
    static let alreadyAuthenticated = SMTPReply(503, "5.5.1", "Error: already authenticated")
    static let noAuthenticationInMail = SMTPReply(503, "5.5.1", "Error: MAIL transaction in progress")
    static let encryptionRequired = SMTPReply(538, "5.7.11", "Encryption required for requested authentication mechanism; issue STARTTLS first")
    static let unknownMechanism = SMTPReply(504, "5.5.4", "Error: unrecognized authentication mechanism; PLAIN and LOGIN are offered")
    static let authenticationCancelled = SMTPReply(501, "5.7.0", "Authentication cancelled")
    static let badBase64 = SMTPReply(501, "5.5.2", "Error: invalid base64 or malformed authentication response")
    static let authenticationLineTooLong = SMTPReply(500, "5.5.6", "Error: authentication exchange line is too long")
}
