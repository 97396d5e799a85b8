import InternetMessage

/// The server's side of one SMTP session as a state machine: command lines in, ``Action``s out. No socket, no clock.
///
/// An action is either a reply to write or a question to somebody else (a filter, the accounts, the store); after a
/// question the owner calls the matching answer method before it hands in the next line.
public struct SMTPServerSession: Sendable {
    public enum Action: Sendable, Hashable {
        case reply(SMTPReply)
        /// Write it, then close.
        case replyAndClose(SMTPReply)
        /// Ask the filters about HELO; answer with ``heloDone(_:)``. A message in progress is given up.
        case askHelo(String)
        /// Answer with ``mailDone(_:)``.
        case askMail(sender: EmailAddress?, parameters: [String: String])
        /// Answer with ``rcptDone(_:)``.
        case askRcpt(EmailAddress, parameters: [String: String])
        /// Answer with ``dataDone(_:)``.
        case askData
        /// Read that many octets of content, then call ``chunkDone(octets:refused:)``. `first`: ask the filters about DATA too.
        case readChunk(octets: Int, last: Bool, first: Bool)
        /// As `readChunk`, but the octets are thrown away: the message was refused already.
        case skipChunk(octets: Int, SMTPReply)
        /// A message in progress is given up; write the reply.
        case reset(SMTPReply)
        /// Check the password; answer with ``authDone(_:)``.
        case authenticate(mechanism: String, user: String, password: String)
        /// Write the reply in the clear, drop what else was read, and start TLS; then ``tlsStarted()``.
        case startTLS(SMTPReply)
    }

    private enum Phase: Sendable, Hashable {
        case commands
        case auth(SASLServer)
        case chunks
    }

    public let rules: SMTPServerRules
    private var phase = Phase.commands
    private var greeted: Greeting?
    private var isTLS: Bool
    private var authenticated = false
    private var hasSender = false
    private var wantsUTF8 = false
    private var recipients = 0
    private var errors = 0
    private var authFailures = 0
    private var junk = 0
    private var pendingGreeting: Greeting?

    private struct Greeting: Sendable, Hashable {
        let name: String
        let isExtended: Bool
    }

    /// - Parameter isTLS: TLS from the first octet.
    public init(_ rules: SMTPServerRules, isTLS: Bool) {
        self.rules = rules
        self.isTLS = isTLS
    }

    public var greeting: SMTPReply { SMTPReply(220, nil, "\(rules.hostname) ESMTP postern") }
    /// EHLO was used: `ESMTP` in Received (RFC 3848).
    public var isExtended: Bool { greeted?.isExtended ?? false }
    /// The message asked for SMTPUTF8 (RFC 6531).
    public var isSMTPUTF8: Bool { wantsUTF8 }

    /// Takes one line without its CRLF.
    public mutating func receive(_ line: ArraySlice<UInt8>) -> Action {
        if case .auth(var server) = phase {
            let step = server.receive(line)
            phase = .auth(server)
            return sasl(step)
        }
        switch SMTPCommandParser.parse(line) {
        case .helo(let name): return hello(name, extended: false)
        case .ehlo(let name): return hello(name, extended: true)
        case .mail(let sender, let parameters): return mail(sender, parameters)
        case .rcpt(let path, let parameters): return rcpt(path, parameters)
        case .data: return data()
        case .bdat(let size, let last): return bdat(size, last)
        case .rset: return reset()
        case .noop: return useless(SMTPReply(250, "2.0.0", "Ok"))
        case .quit: return .replyAndClose(SMTPReply(221, "2.0.0", "Bye"))
        case .help: return useless(SMTPReply(214, "2.0.0", "See RFC 5321"))
        case .vrfy: return useless(SMTPReply(252, "2.0.0", "Cannot VRFY user, but will accept a message and try"))
        case .expn: return refuse(SMTPReply(502, "5.5.1", "Error: EXPN is not offered"))
        case .startTLS: return startTLS()
        case .auth(let mechanism, let initial): return auth(mechanism, initial)
        case .unknown: return refuse(SMTPReply(500, "5.5.2", "Error: command not recognized"))
        case .malformed(let reply): return refuse(reply)
        }
    }

    /// A line longer than any command may be; it was thrown away unread.
    public mutating func receiveOverlongLine() -> Action {
        phase = phase == .chunks ? .chunks : .commands
        return refuse(SMTPReply(500, "5.5.2", "Error: line too long"))
    }

    /// A command line that ended in a bare LF.
    public mutating func receiveBareLineEnd() -> Action {
        refuse(SMTPReply(500, "5.5.2", "Error: a command line must end with CR LF"))
    }

    // MARK: HELO, STARTTLS

    private mutating func hello(_ name: String, extended: Bool) -> Action {
        endMessage()
        pendingGreeting = Greeting(name: name, isExtended: extended)
        return .askHelo(name)
    }

    /// - Parameter refusal: the filters', or nil.
    public mutating func heloDone(_ refusal: SMTPReply?) -> SMTPReply {
        defer { pendingGreeting = nil }
        if let refusal {
            errors += 1
            return refusal
        }
        greeted = pendingGreeting
        guard isExtended else { return SMTPReply(250, nil, rules.hostname) }
        return SMTPReply(250, nil, lines: [rules.hostname] + extensions)
    }

    private var extensions: [String] {
        var out = ["PIPELINING", "SIZE \(rules.messageSizeLimit)", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8", "CHUNKING"]
        if rules.offersTLS, !isTLS { out.append("STARTTLS") }
        if rules.offersAuth, isTLS { out.append("AUTH PLAIN LOGIN") }
        return out
    }

    private mutating func startTLS() -> Action {
        guard !isTLS else { return refuse(SMTPReply(503, "5.5.1", "Error: TLS is already active")) }
        guard rules.offersTLS else { return refuse(SMTPReply(502, "5.5.1", "Error: STARTTLS is not offered")) }
        endMessage()
        return .startTLS(SMTPReply(220, "2.0.0", "Ready to start TLS"))
    }

    /// RFC 3207 §4.2: what was said in the clear is forgotten.
    public mutating func tlsStarted() {
        isTLS = true
        greeted = nil
        authenticated = false
    }

    // MARK: AUTH

    private mutating func auth(_ mechanism: String, _ initial: String?) -> Action {
        guard greeted?.isExtended == true else { return refuse(SMTPReply(503, "5.5.1", "Error: send EHLO first")) }
        guard !authenticated else { return refuse(SMTPReply(503, "5.5.1", "Error: already authenticated")) }
        guard !hasSender else { return refuse(SMTPReply(503, "5.5.1", "Error: MAIL transaction in progress")) }
        guard rules.offersAuth else { return refuse(SMTPReply(502, "5.5.1", "Error: log in on the submission port")) }
        // RFC 4954 §4: 538 once, before any password is said.
        guard isTLS else { return refuse(SMTPReply(538, "5.7.11", "Encryption required for authentication: use STARTTLS first")) }
        guard var server = SASLServer(mechanism) else { return refuse(SMTPReply(504, "5.5.4", "Unrecognized authentication type")) }
        let step = server.begin(initial)
        phase = .auth(server)
        return sasl(step)
    }

    private mutating func sasl(_ step: SASLServer.Step) -> Action {
        switch step {
        case .challenge(let text): return .reply(SMTPReply(334, nil, text))
        case .failed(let reply):
            phase = .commands
            return refuse(reply)
        case .credentials(let mechanism, let user, let password):
            phase = .commands
            return .authenticate(mechanism: mechanism, user: user, password: password)
        }
    }

    public enum AuthResult: Sendable, Hashable { case success, failure, unavailable }

    public mutating func authDone(_ result: AuthResult) -> Action {
        switch result {
        case .success:
            authenticated = true
            return .reply(SMTPReply(235, "2.7.0", "Authentication successful"))
        case .unavailable: return refuse(SMTPReply(454, "4.7.0", "Temporary authentication failure"))
        case .failure:
            authFailures += 1
            guard authFailures < rules.authFailureLimit else {
                return .replyAndClose(SMTPReply(421, "4.7.0", "Too many failed log-ins"))
            }
            return refuse(SMTPReply(535, "5.7.8", "Error: authentication failed"))
        }
    }

    // MARK: MAIL, RCPT

    private mutating func mail(_ sender: EmailAddress?, _ parameters: [String: String]) -> Action {
        guard greeted != nil else { return refuse(SMTPReply(503, "5.5.1", "Error: send HELO/EHLO first")) }
        guard !hasSender else { return refuse(SMTPReply(503, "5.5.1", "Error: nested MAIL command")) }
        if rules.isSubmission {
            guard isTLS else { return refuse(SMTPReply(530, "5.7.0", "Must issue a STARTTLS command first")) }
            guard authenticated else { return refuse(SMTPReply(530, "5.7.0", "Authentication required")) }
        }
        if let fault = MailParameters.fault(parameters, sender, rules) { return refuse(fault) }
        wantsUTF8 = parameters["SMTPUTF8"] != nil
        return .askMail(sender: sender, parameters: parameters)
    }

    public mutating func mailDone(_ refusal: SMTPReply?) -> SMTPReply {
        hasSender = refusal == nil
        return refusal ?? SMTPReply(250, "2.1.0", "Ok")
    }

    private mutating func rcpt(_ path: SMTPCommand.RecipientPath, _ parameters: [String: String]) -> Action {
        guard hasSender else { return refuse(SMTPReply(503, "5.5.1", "Error: need MAIL command")) }
        guard phase == .commands else { return refuse(SMTPReply(503, "5.5.1", "Error: BDAT has begun")) }
        // RFC 5321 §4.5.3.1.10: 452, so that the client sends the rest in another transaction.
        guard recipients < rules.recipientLimit else { return .reply(SMTPReply(452, "4.5.3", "Error: too many recipients")) }
        if let fault = RcptParameters.fault(parameters) { return refuse(fault) }
        switch path {
        case .mailbox(let address):
            if address.needsSMTPUTF8, !wantsUTF8 { return refuse(SMTPReply(553, "5.6.7", "SMTPUTF8 is required for this address")) }
            return .askRcpt(address, parameters: parameters)
        case .postmaster:
            guard let address = EmailAddress("postmaster@" + rules.hostname) else { return refuse(SMTPReply(550, "5.1.1", "No postmaster here")) }
            return .askRcpt(address, parameters: parameters)
        }
    }

    public mutating func rcptDone(_ refusal: SMTPReply?) -> Action {
        guard let refusal else {
            recipients += 1
            return .reply(SMTPReply(250, "2.1.5", "Ok"))
        }
        return refuse(refusal)
    }

    // MARK: Content

    private mutating func data() -> Action {
        if let fault = contentFault() { return refuse(fault) }
        // RFC 3030 §2: not both in one transaction.
        guard phase == .commands else { return refuse(SMTPReply(503, "5.5.1", "Error: BDAT has begun")) }
        return .askData
    }

    public mutating func dataDone(_ refusal: SMTPReply?) -> SMTPReply {
        guard let refusal else { return SMTPReply(354, nil, "End data with <CR><LF>.<CR><LF>") }
        endMessage()
        return refusal
    }

    private mutating func bdat(_ size: Int, _ last: Bool) -> Action {
        // The octets follow whatever we say: they must be read either way (RFC 3030 §2).
        if let fault = contentFault() {
            errors += 1
            return errors < rules.errorLimit ? .skipChunk(octets: size, fault) : patient(.reply(fault))
        }
        let first = phase != .chunks
        phase = .chunks
        return .readChunk(octets: size, last: last, first: first)
    }

    /// A chunk that was not the last has been read.
    /// - Parameter refused: the message is refused; its further chunks are skipped.
    public mutating func chunkDone(octets: Int, refused: SMTPReply?) -> SMTPReply {
        guard let refused else { return SMTPReply(250, "2.0.0", "Ok: \(octets) octets received") }
        endMessage()
        return refused
    }

    private func contentFault() -> SMTPReply? {
        guard hasSender else { return SMTPReply(503, "5.5.1", "Error: need MAIL command") }
        guard recipients > 0 else { return SMTPReply(554, "5.5.1", "Error: no valid recipients") }
        return nil
    }

    /// The message is over, whatever became of it. One that was accepted pays for earlier mistakes, as with Postfix:
    /// a peer that keeps its connection for many messages is not sent away for the sum of them.
    public mutating func messageDone(accepted: Bool = false) {
        endMessage()
        guard accepted else { return }
        errors = 0
        junk = 0
    }

    private mutating func endMessage() {
        phase = .commands
        hasSender = false
        wantsUTF8 = false
        recipients = 0
    }

    // MARK: Patience

    private mutating func reset() -> Action {
        if !hasSender { errors += 1 }
        endMessage()
        return patient(.reset(SMTPReply(250, "2.0.0", "Ok")))
    }

    private mutating func useless(_ reply: SMTPReply) -> Action {
        // One now and then keeps a connection alive; a stream of them is abuse (Postfix's smtpd_junk_command_limit, 100).
        junk += 1
        if junk > 100 { errors = rules.errorLimit }
        return patient(.reply(reply))
    }

    private mutating func refuse(_ reply: SMTPReply) -> Action {
        errors += 1
        return patient(.reply(reply))
    }

    private func patient(_ action: Action) -> Action {
        errors < rules.errorLimit ? action : .replyAndClose(SMTPReply(421, "4.7.0", "Error: too many errors"))
    }
}
