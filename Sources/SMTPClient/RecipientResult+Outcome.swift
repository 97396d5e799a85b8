import SMTPCore

extension RecipientResult {
    init(_ outcome: RecipientOutcome, _ server: ServerFacts, notifies: Bool) {
        switch outcome {
        case .accepted(let reply):
            self.init(.delivered, status: reply.enhancedCode ?? "2.0.0", text: reply.text, reply: reply, server: server, serverNotifies: notifies)
        case .refused(let reply):
            self.init(reply.isPermanent ? .permanent : .temporary, status: reply.enhancedCode ?? (reply.isPermanent ? "5.0.0" : "4.0.0"),
                      text: reply.text, reply: reply, server: server)
        case .impossible(let status, let text): self.init(.permanent, status: status, text: text, server: server, cause: .here)
        case .lost(let failure): self.init(failure, server)
        }
    }

    /// A session's failure is never final: greetings with 5xx concern the server's state, not the recipient (Postfix's
    /// `smtp_skip_5xx_greeting`), and log-in or TLS can be put right by the administrator while the message waits.
    init(_ failure: SessionFailure, _ server: ServerFacts) {
        let cause: Cause = switch failure {
        case .refused, .shuttingDown, .authenticationRefused: .reply
        case .tlsNotOffered, .tlsRefused, .tlsFailed, .untrusted: .tls
        case .timedOut, .connectionLost, .protocolError: .connection
        case .authenticationUnavailable, .contentUnavailable: .here
        }
        self.init(.temporary, status: failure.status, text: failure.description, reply: failure.reply, server: server, cause: cause)
    }
}
