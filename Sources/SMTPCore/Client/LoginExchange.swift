import InternetMessage
import SASL

/// A client's log-in by AUTH (RFC 4954): SCRAM-SHA-256, which keeps the password to itself, before PLAIN, before LOGIN.
struct LoginExchange: Sendable {
    static let mechanisms = ["SCRAM-SHA-256", "PLAIN", "LOGIN"]

    enum Step: Sendable, Hashable {
        case send(String)
        case derive(SCRAMClient)
        case done
        case refused
        case broken(String)
    }

    private enum Stage: Sendable {
        case idle, plain
        /// LOGIN's user and password that are still to be asked for.
        case login([String])
        case scramFirst(SCRAMClient)
        /// Waits for the server's own proof, in a challenge or with 235.
        case scramFinal(SCRAMClient)
        case scramProved
    }
    private var stage = Stage.idle

    /// The AUTH command; nil when nothing that the server offers is known.
    mutating func begin(_ credentials: ClientCredentials, offered: Set<String>) -> String? {
        switch Self.mechanisms.first(where: offered.contains) {
        case "SCRAM-SHA-256":
            let exchange = SCRAMClient(user: credentials.user, password: credentials.password)
            stage = .scramFirst(exchange)
            return "AUTH SCRAM-SHA-256 " + Base64.encode(exchange.first)
        case "PLAIN":
            stage = .plain
            // RFC 4616: no identity of its own, user, password.
            return "AUTH PLAIN " + Base64.encode([0] + Array(credentials.user.utf8) + [0] + Array(credentials.password.utf8))
        case "LOGIN":
            stage = .login([credentials.user, credentials.password])
            return "AUTH LOGIN"
        default: return nil
        }
    }

    mutating func take(_ reply: SMTPReply) -> Step {
        if reply.code == 235 { return end(reply) }
        guard reply.code == 334 else { return .refused }
        switch stage {
        case .login(var left) where !left.isEmpty:
            let next = left.removeFirst()
            stage = .login(left)
            return .send(Base64.encode(Array(next.utf8)))
        case .scramFirst(var exchange):
            guard let challenge = Self.challenge(reply) else { return .broken("the server's SCRAM challenge is not base64") }
            exchange.challenge = challenge
            return .derive(exchange)
        case .scramFinal(let exchange):
            guard let final = Self.challenge(reply), exchange.accepts(final) else { return Self.impostor }
            stage = .scramProved
            return .send("")
        default: return .broken("the server asks for more than the mechanism has")
        }
    }

    mutating func proved(_ exchange: SCRAMClient, _ proof: [UInt8]) -> String {
        stage = .scramFinal(exchange)
        return Base64.encode(proof)
    }

    private static let impostor = Step.broken("the server does not know the password itself: it may be another")

    private func end(_ reply: SMTPReply) -> Step {
        switch stage {
        case .idle: return .broken("a log-in that was not asked for")
        case .plain, .scramProved: return .done
        case .login(let left): return left.isEmpty ? .done : .broken("the server did not ask for the password")
        case .scramFirst: return Self.impostor
        case .scramFinal(let exchange):
            // RFC 4954 §4 has no place for data with 235; servers that put it there all the same are met.
            return Self.challenge(reply).map(exchange.accepts) == true ? .done : Self.impostor
        }
    }

    private static func challenge(_ reply: SMTPReply) -> [UInt8]? {
        reply.lines.first.flatMap { Base64.decodeStrictly(Array($0.utf8)) }
    }
}
