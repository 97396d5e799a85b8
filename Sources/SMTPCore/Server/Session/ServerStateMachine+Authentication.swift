import InternetMessage
import SASL

/// AUTH (RFC 4954).
extension ServerStateMachine {
    mutating func takeAuthentication(_ mechanism: String, _ response: [UInt8]?) -> [ServerAction] {
        guard settings.offersAuthentication else { return respond(ServerReplies.authenticationNotOffered) }
        guard isExtended else { return respond(ServerReplies.needHello) }
        guard isTLS else { return respond(ServerReplies.encryptionRequired) }
        guard !isAuthenticated else { return respond(ServerReplies.alreadyAuthenticated) }
        guard mail == nil else { return respond(ServerReplies.noAuthenticationInMail) }
        guard mechanisms.contains(mechanism), var exchange = SASLExchange(mechanism: mechanism, bindings: channelBindings) else {
            return respond(ServerReplies.unknownMechanism)
        }
        let step = exchange.begin(response)
        return take(step, exchange)
    }

    /// What can be done on this connection.
    var mechanisms: [String] { SASLExchange.mechanisms(offersSCRAM: settings.offersSCRAM, bindings: channelBindings) }

    /// A line of the exchange.
    mutating func takeResponse(_ line: [UInt8], _ exchange: SASLExchange) -> [ServerAction] {
        input = .command
        if line == [42] { return respond(ServerReplies.authenticationCancelled) }
        var exchange = exchange
        let step = exchange.take(line)
        return take(step, exchange)
    }

    private mutating func take(_ step: SASLExchange.Step, _ exchange: SASLExchange) -> [ServerAction] {
        switch step {
        case .challenge(let text):
            input = .sasl(exchange)
            return [.send(SMTPReply(334, nil, text))]
        case .malformed: return respond(ServerReplies.badBase64)
        case .finished(let credentials): return ask(.authenticate(credentials), .authentication)
        case .needsKeys(let user): return ask(.scramKeys(user: user), .keys(exchange))
        case .proved(let user, let key): return ask(.scramProved(mechanism: exchange.mechanism, user: user, key: key), .authentication)
        case .refused(let failure, let user): return ask(.scramRefused(mechanism: exchange.mechanism, failure, user: user), .authentication)
        }
    }

    mutating func answerKeys(_ exchange: SASLExchange, _ answer: ServerAnswer) -> [ServerAction] {
        guard case .keys(let keys) = answer else {
            if case .no = answer { return answerAuthentication(answer) }
            return respond(ServerReplies.authenticationUnavailable)
        }
        var exchange = exchange
        let step = exchange.answer(keys)
        return take(step, exchange)
    }

    mutating func answerAuthentication(_ answer: ServerAnswer) -> [ServerAction] {
        if case .yes = answer {
            isAuthenticated = true
            channelBindings = [:]
            return respond(ServerReplies.authenticated)
        }
        guard case .no(let reply) = answer else { return respond(ServerReplies.authenticationUnavailable) }
        if reply.isPermanent { authenticationFailures += 1 }
        guard authenticationFailures < settings.authenticationFailureLimit else {
            return [.send(reply)] + end(ServerReplies.tooManyErrors(settings.hostname))
        }
        return respond(reply)
    }
}
