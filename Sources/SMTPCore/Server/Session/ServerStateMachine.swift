import InternetMessage
import SASL

/// The server's side of one SMTP session (RFC 5321 §3, §4): octets and answers in, ``ServerAction``s out. No socket, no
/// clock, no filter: those are the shell's.
///
/// Replies come in the order of the commands, also when a client sends many at once (RFC 2920): while a question is
/// open, no octet is taken.
public struct ServerStateMachine: Sendable {
    enum Input: Sendable {
        case command
        /// The rest of an overlong line: octets seen so far, and the reply that is due at its end.
        case skipping(Int, SMTPReply)
        case sasl(SASLExchange)
        case data(DataDecoder)
        case chunk(ChunkReader)
        case ended
    }

    enum Pending: Sendable {
        case connect
        case hello(String, extended: Bool)
        case client(ClientOverride)
        case authentication
        case keys(SASLExchange)
        case mail(MailCommand)
        case recipient
        case data
        case chunk(count: Int, last: Bool)
        case message
        /// With the reply that is due when nobody has another.
        case unknownCommand(SMTPReply)
        case tls
    }

    /// The message in progress, from MAIL on.
    struct Mail: Sendable {
        var smtpUTF8 = false
        var recipients = 0
        /// Octets of content so far.
        var octets = 0
        /// BDAT has begun it.
        var isChunked = false
        /// A BDAT failed: RFC 3030 §2 then refuses all until RSET.
        var failed = false
        /// Why the content is read over and not kept.
        var refusal: SMTPReply?
        var lineEnds = LineEndCheck()
    }

    public let settings: ServerSettings
    var input = Input.command
    var pending: Pending?
    var mail: Mail?
    /// What the client called itself; nil before HELO, and again after STARTTLS.
    var hello: String?
    public internal(set) var isExtended = false
    public internal(set) var isTLS: Bool
    public internal(set) var isAuthenticated = false
    /// The TLS connection's channel bindings by name (RFC 5929, RFC 9266), for SCRAM-SHA-256-PLUS.
    public var channelBindings: [String: [UInt8]] = [:]
    /// The connection was refused with 554: only QUIT is left (RFC 5321 §3.1).
    var isRefused = false
    var isDraining = false
    /// The client's last MAIL said SMTPUTF8: replies may hold UTF-8 until the next.
    var takesUTF8 = false
    /// The reply due after the octets of a BDAT that belongs to no message.
    var strayChunkReply: SMTPReply?
    var errors = 0
    var junk = 0
    var authenticationFailures = 0

    public init(settings: ServerSettings, isTLS: Bool = false) {
        self.settings = settings
        self.isTLS = isTLS
    }

    var isLMTP: Bool { settings.speaks == .lmtp }
    /// Whether a question is open.
    public var isWaiting: Bool { pending != nil }
    public var isEnded: Bool { if case .ended = input { true } else { false } }
    /// Whether a message is in progress.
    public var isInMail: Bool { mail != nil }
    /// Whether octets of a message are coming in.
    public var isReceivingContent: Bool {
        switch input {
        case .data, .chunk: true
        default: false
        }
    }
    /// Whether the message in progress may hold UTF-8 in its header (RFC 6531).
    public var isSMTPUTF8: Bool { mail?.smtpUTF8 ?? false }

    /// The connection stands (with implicit TLS: the handshake is done).
    public mutating func start() -> [ServerAction] {
        pending = .connect
        return [.ask(.connect)]
    }

    /// Takes octets up to the first thing that only the shell can do. Call it again with the rest until it neither
    /// consumes nor does anything: then it wants more octets, or an answer.
    public mutating func take(_ bytes: UnsafeRawBufferPointer) -> (consumed: Int, actions: [ServerAction]) {
        guard pending == nil, !bytes.isEmpty else { return (0, []) }
        switch input {
        case .ended: return (bytes.count, [])
        case .skipping(let seen, let reply): return skip(bytes, seen, reply)
        case .command: return takeLine(bytes)
        case .sasl(let exchange): return takeLine(bytes, exchange)
        case .data(let decoder): return takeData(bytes, decoder)
        case .chunk(let reader): return takeChunk(bytes, reader)
        }
    }

    /// The answer to the open question.
    public mutating func answer(_ answer: ServerAnswer) -> [ServerAction] {
        guard let question = pending else { return [] }
        pending = nil
        switch question {
        case .connect: return answerConnect(answer)
        case .hello(let name, let extended): return answerHello(name, extended, answer)
        case .client(let override): return answerOverride(override, answer)
        case .authentication: return answerAuthentication(answer)
        case .keys(let exchange): return answerKeys(exchange, answer)
        case .mail(let command): return answerMail(command, answer)
        case .recipient: return answerRecipient(answer)
        case .data: return answerData(answer)
        case .chunk(let count, let last): return answerChunk(count, last, answer)
        case .message: return answerMessage(answer)
        case .unknownCommand(let usual):
            if case .no(let reply) = answer { return respond(reply) }
            return respond(usual)
        case .tls: return []
        }
    }

    /// The handshake after STARTTLS is done. Everything learned before is forgotten (RFC 3207 §4.2).
    public mutating func tlsStarted() -> [ServerAction] {
        pending = nil
        isTLS = true
        hello = nil
        isExtended = false
        isAuthenticated = false
        return drainIfIdle()
    }

    /// Nothing came for too long.
    public mutating func timedOut() -> [ServerAction] { end(ServerReplies.timeout(settings.hostname)) }

    /// The server goes down: at once when no message is in progress, otherwise after it.
    public mutating func shutDown() -> [ServerAction] {
        isDraining = true
        return drainIfIdle()
    }

    /// The content cannot be kept (too large a header, a full disk): the rest is read over, and this is the reply.
    public mutating func refuseContent(_ reply: SMTPReply) {
        if mail?.refusal == nil { mail?.refusal = reply }
    }
}

// MARK: Replying

extension ServerStateMachine {
    /// Sends a reply, counts errors, and closes where the reply or the count says so.
    mutating func respond(_ reply: SMTPReply) -> [ServerAction] {
        let reply = takesUTF8 ? reply : reply.inASCII
        if reply.code == 421 { return end(reply) }
        if reply.code >= 400 { errors += 1 }
        guard errors < settings.errorLimit else { return [.send(reply)] + end(ServerReplies.tooManyErrors(settings.hostname)) }
        return [.send(reply)] + drainIfIdle()
    }

    /// A last reply, and the end. - Parameter times: how often the reply is due.
    mutating func end(_ reply: SMTPReply, times: Int = 1) -> [ServerAction] {
        guard !isEnded else { return [] }
        let abort = dropMail()
        input = .ended
        pending = nil
        return abort + Array(repeating: .send(reply), count: times) + [.close]
    }

    /// Forgets the message in progress.
    mutating func dropMail() -> [ServerAction] {
        guard mail != nil else { return [] }
        mail = nil
        return [.abort]
    }

    private mutating func drainIfIdle() -> [ServerAction] {
        guard isDraining, mail == nil, pending == nil, !isEnded else { return [] }
        return end(ServerReplies.shuttingDown(settings.hostname))
    }
}
