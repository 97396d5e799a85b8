import InternetMessage
import SASL

/// From the greeting to the first transaction (RFC 5321 §3.1–3.2, RFC 3207, RFC 4954).
extension SMTPClientSession {
    mutating func takeGreeting(_ reply: SMTPReply) -> [Action] {
        guard reply.code == 220 else { return refuse("the greeting", reply) }
        return sayEHLO()
    }

    private mutating func sayEHLO() -> [Action] {
        state = .ehlo
        let verb = configuration.speaksLMTP ? "LHLO" : "EHLO"
        return [.send(ClientCommand.line("\(verb) \(configuration.heloName)")), .deadline(configuration.timeouts.hello)]
    }

    mutating func takeEHLO(_ reply: SMTPReply) -> [Action] {
        if reply.code == 250 {
            extensions = ServerExtensions(ehloReply: reply)
            return afterHello()
        }
        // RFC 5321 §3.2: a server without extensions refuses EHLO; HELO is tried. Not where TLS or log-in is needed.
        guard reply.isPermanent, configuration.tls != .required, !isSecure, !configuration.speaksLMTP else { return refuse("EHLO", reply) }
        state = .helo
        return [.send(ClientCommand.line("HELO \(configuration.heloName)")), .deadline(configuration.timeouts.hello)]
    }

    mutating func takeHELO(_ reply: SMTPReply) -> [Action] {
        guard reply.code == 250 else { return refuse("HELO", reply) }
        extensions = .none(serverName: reply.lines[0].split(separator: " ").first.map(String.init) ?? "")
        return afterHello()
    }

    private mutating func afterHello() -> [Action] {
        guard !isSecure, configuration.tls != .never else { return authenticate() }
        guard extensions.startTLS else { return configuration.tls == .required ? fail(.tlsNotOffered) : authenticate() }
        state = .startTLS
        return [.send(ClientCommand.line("STARTTLS")), .deadline(configuration.timeouts.hello)]
    }

    mutating func takeStartTLS(_ reply: SMTPReply) -> [Action] {
        guard reply.code == 220 else {
            return configuration.tls == .required ? fail(.tlsRefused(reply)) : authenticate()
        }
        state = .handshake
        return [.startTLS, .deadline(configuration.timeouts.hello)]
    }

    /// The handshake succeeded: all that the server said before is forgotten (RFC 3207 §4.2).
    public mutating func tlsEstablished() -> [Action] {
        guard state == .handshake else { return [] }
        isSecure = true
        extensions = .none()
        parser = SMTPReplyParser()
        return sayEHLO()
    }

    private mutating func authenticate() -> [Action] {
        guard let credentials = configuration.credentials else { return becomeReady() }
        guard isSecure || credentials.allowWithoutTLS else {
            return fail(.authenticationUnavailable("the connection is not encrypted, so no password is sent"))
        }
        guard let first = login.begin(credentials, offered: extensions.authentication) else {
            return fail(.authenticationUnavailable("the server offers none of \(LoginExchange.mechanisms.joined(separator: ", "))"))
        }
        state = .authentication
        return [.send(ClientCommand.line(first)), .deadline(configuration.timeouts.hello)]
    }

    mutating func takeAuthentication(_ reply: SMTPReply) -> [Action] {
        switch login.take(reply) {
        case .send(let line): return [.send(ClientCommand.line(line)), .deadline(configuration.timeouts.hello)]
        case .derive(let exchange): return [.deriveProof(exchange), .deadline(configuration.timeouts.hello)]
        case .done: return becomeReady()
        case .refused: return fail(.authenticationRefused(reply))
        case .broken(let why): return fail(.authenticationUnavailable(why))
        }
    }

    /// - Parameter proof: what to send; nil when the challenge was none or asks for too much.
    public mutating func proofDerived(_ exchange: SCRAMClient, _ proof: [UInt8]?) -> [Action] {
        guard state == .authentication else { return [] }
        guard let proof else { return fail(.authenticationUnavailable("the server's SCRAM challenge is not acceptable")) }
        return [.send(ClientCommand.line(login.proved(exchange, proof))), .deadline(configuration.timeouts.hello)]
    }

    private mutating func becomeReady() -> [Action] {
        state = .ready
        return [.noDeadline, .ready(extensions)]
    }

    /// RFC 5321 §3.1: who is refused still says QUIT; the answer is not waited for.
    private mutating func refuse(_ stage: String, _ reply: SMTPReply) -> [Action] {
        [.send(ClientCommand.line("QUIT"))] + fail(.refused(at: stage, reply))
    }
}
