import InternetMessage
import SASL

/// The client's side of an SMTP connection (RFC 5321 §3, §4): no socket, no clock. Events go in through the methods,
/// what to do comes out as ``Action``s.
///
/// After ``Action/ready(_:)`` the owner calls ``begin(_:)``; after ``Action/finished(_:)`` it may begin another transaction or
/// ``quit()``. After ``Action/failed(_:)`` the session is over.
public struct SMTPClientSession: Sendable {
    public struct Configuration: Sendable, Hashable {
        /// What EHLO says: our host name, or an address literal.
        public var heloName: String
        public var tls: TLSUse
        public var speaksLMTP = false
        /// Use BDAT where it is offered (RFC 3030).
        public var chunking = true
        public var credentials: ClientCredentials?
        public var timeouts: ClientTimeouts

        public init(heloName: String, tls: TLSUse = .ifOffered, credentials: ClientCredentials? = nil, timeouts: ClientTimeouts = ClientTimeouts()) {
            self.heloName = heloName
            self.tls = tls
            self.credentials = credentials
            self.timeouts = timeouts
        }
    }

    public enum TLSUse: Sendable, Hashable {
        case never
        /// STARTTLS where offered; in clear when the server does not offer it or refuses it.
        case ifOffered
        case required
    }

    /// How the content goes over the wire.
    public enum ContentForm: Sendable, Hashable {
        /// After DATA, with its dots doubled.
        case dots
        /// Each piece after a BDAT of its own.
        case chunks
    }

    public enum Action: Sendable, Hashable {
        case send([UInt8])
        /// Put the TLS layer in front, handshake, then call ``SMTPClientSession/tlsEstablished()``.
        case startTLS
        /// The server listens for transactions.
        case ready(ServerExtensions)
        /// Send the content through a ``ContentEncoder``; call ``SMTPClientSession/contentSent()`` before the last piece, and
        /// ``SMTPClientSession/chunkSent()`` before every other chunk.
        case sendContent(ContentForm)
        /// Call ``SCRAMClient/proved()`` aside, which takes its time, and then ``SMTPClientSession/proofDerived(_:_:)``.
        case deriveProof(SCRAMClient)
        /// Call ``SMTPClientSession/timedOut()`` after so long without the next event; replaces the former deadline.
        case deadline(Duration)
        case noDeadline
        case finished(TransactionReport)
        case failed(SessionFailure)
        case close
    }

    enum State: Sendable {
        case idle, greeting, ehlo, helo, startTLS, handshake, authentication, ready, transaction, quitting, closed
    }

    let configuration: Configuration
    var state = State.idle
    var parser = SMTPReplyParser()
    var isSecure = false
    var extensions = ServerExtensions.none()
    var work = TransactionWork()
    var login = LoginExchange()
    /// MAIL was accepted and DATA never ended the transaction: RSET goes before the next MAIL.
    var needsReset = false

    public init(_ configuration: Configuration) { self.configuration = configuration }

    /// Whether TLS protects the session now.
    public var isEncrypted: Bool { isSecure }

    /// The connection stands.
    public mutating func connected() -> [Action] {
        state = .greeting
        return [.deadline(configuration.timeouts.greeting)]
    }

    /// Octets came, decrypted.
    public mutating func received(_ bytes: some Sequence<UInt8>) -> [Action] {
        guard state != .closed else { return [] }
        var replies: [SMTPReply] = [], failure: SMTPReplyParser.Failure?
        do throws(SMTPReplyParser.Failure) { try parser.feed(bytes, into: &replies) } catch { failure = error }
        // What came with the reply to STARTTLS was not protected, and may be an attacker's (RFC 3207 §6).
        if state == .startTLS, replies.count > 1 || (replies.count == 1 && (parser.isInsideReply || failure != nil)) {
            return fail(.protocolError(at: stage, "the server sent octets after its reply to STARTTLS"))
        }
        let actions = replies.flatMap { take($0) }
        guard let failure, state != .closed else { return actions }
        return actions + fail(.protocolError(at: stage, failure.description))
    }

    public mutating func timedOut() -> [Action] {
        switch state {
        case .closed: []
        case .quitting: end()
        default: fail(.timedOut(at: stage))
        }
    }

    /// The connection is gone.
    public mutating func connectionClosed() -> [Action] {
        switch state {
        case .closed: []
        case .quitting, .ready: end()
        default: fail(.connectionLost(at: stage))
        }
    }

    /// The TLS layer or the content's source failed, or the owner gives up.
    public mutating func abort(_ failure: SessionFailure) -> [Action] { state == .closed ? [] : fail(failure) }

    /// Ends the session in order; possible whenever no transaction runs.
    public mutating func quit() -> [Action] {
        guard state == .ready else { return end() }
        state = .quitting
        return [.send(ClientCommand.line("QUIT")), .deadline(configuration.timeouts.quit)]
    }

    mutating func take(_ reply: SMTPReply) -> [Action] {
        if reply.code == 421, state != .quitting, state != .closed { return fail(.shuttingDown(reply)) }
        return switch state {
        case .greeting: takeGreeting(reply)
        case .ehlo: takeEHLO(reply)
        case .helo: takeHELO(reply)
        case .startTLS: takeStartTLS(reply)
        case .authentication: takeAuthentication(reply)
        case .transaction: takeInTransaction(reply)
        case .quitting: end()
        case .ready, .handshake, .idle: fail(.protocolError(at: stage, "a reply to no command: \(reply)"))
        case .closed: []
        }
    }

    /// Ends the session; undecided recipients learn why.
    mutating func fail(_ failure: SessionFailure) -> [Action] {
        var actions: [Action] = []
        if state == .transaction { actions.append(.finished(work.report(undecided: .lost(failure), serverNotifies: extensions.dsn))) }
        state = .closed
        return actions + [.noDeadline, .failed(failure), .close]
    }

    mutating func end() -> [Action] {
        state = .closed
        return [.noDeadline, .close]
    }

    /// What is being waited for, for error texts.
    var stage: String {
        switch state {
        case .idle, .greeting: "the greeting"
        case .ehlo: "the reply to EHLO"
        case .helo: "the reply to HELO"
        case .startTLS: "the reply to STARTTLS"
        case .handshake: "the TLS handshake"
        case .authentication: "the reply to AUTH"
        case .ready: "nothing"
        case .transaction: work.stage
        case .quitting, .closed: "the reply to QUIT"
        }
    }
}
