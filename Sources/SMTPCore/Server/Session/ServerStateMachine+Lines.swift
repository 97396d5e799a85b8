import InternetMessage
import SASL

/// Command lines and lines of an authentication exchange: framing and dispatch.
extension ServerStateMachine {
    /// - Parameter exchange: the authentication exchange the line belongs to; nil for a command.
    mutating func takeLine(_ bytes: UnsafeRawBufferPointer, _ exchange: SASLExchange? = nil) -> (consumed: Int, actions: [ServerAction]) {
        let limit = lineLimit(bytes, exchange)
        let window = UnsafeRawBufferPointer(rebasing: bytes.prefix(limit))
        guard let end = LineScanner.index(of: 10, in: window) else {
            guard bytes.count >= limit else { return (0, []) }
            let reply = exchange == nil ? ServerReplies.lineTooLong : ServerReplies.authenticationLineTooLong
            input = .skipping(0, reply)
            return skip(bytes, 0, reply)
        }
        guard end > 0, bytes[end - 1] == 13 else {
            input = .command
            return (end + 1, respond(ServerReplies.bareLF))
        }
        let line = Array(bytes[..<(end - 1)])
        return (end + 1, exchange.map { takeResponse(line, $0) } ?? takeCommand(line))
    }

    /// Reads over an overlong line without keeping it.
    mutating func skip(_ bytes: UnsafeRawBufferPointer, _ seen: Int, _ reply: SMTPReply) -> (consumed: Int, actions: [ServerAction]) {
        if let end = LineScanner.index(of: 10, in: bytes) {
            input = .command
            return (end + 1, respond(reply))
        }
        guard seen + bytes.count <= ServerSettings.skipLimit else {
            return (bytes.count, end(SMTPReply(421, "4.7.0", "\(settings.hostname) Error: line too long, closing")))
        }
        input = .skipping(seen + bytes.count, reply)
        return (bytes.count, [])
    }

    private func lineLimit(_ bytes: UnsafeRawBufferPointer, _ exchange: SASLExchange?) -> Int {
        if exchange != nil { return ServerSettings.authenticationLineLimit }
        let isAuth = bytes.count >= 5 && bytes.prefix(5).elementsEqual("AUTH ".utf8) { $0 & 0xdf == $1 & 0xdf }
        return isAuth ? ServerSettings.authenticationLineLimit : ServerSettings.commandLineLimit
    }

    private mutating func takeCommand(_ line: [UInt8]) -> [ServerAction] {
        do throws(CommandError) {
            return take(try CommandParser.parse(line), line)
        } catch {
            return respond(isRefused ? ServerReplies.refusedSession : error.reply)
        }
    }

    private mutating func take(_ command: Command, _ line: [UInt8]) -> [ServerAction] {
        if case .quit = command {
            return end(ServerReplies.bye)
        }
        if isRefused { return respond(ServerReplies.refusedSession) }
        if let reply = refusalWithoutTLS(of: command) { return respond(reply) }
        switch command {
        // RFC 2033 §4.1: LHLO in place of HELO and EHLO, which get 500; and SMTP knows no LHLO.
        case .helo where isLMTP, .ehlo where isLMTP: return respond(ServerReplies.needsLHLO)
        case .lhlo where !isLMTP: return respond(ServerReplies.unknownCommand)
        case .helo(let name): return ask(.hello(name, extended: false), .hello(name, extended: false))
        case .ehlo(let name), .lhlo(let name): return ask(.hello(name, extended: true), .hello(name, extended: true))
        case .mail(let command): return takeMail(command)
        case .rcpt(let command): return takeRecipient(command)
        case .data: return takeDataCommand()
        case .bdat(let count, let last): return takeChunkCommand(count, last)
        case .rset: return takeReset()
        case .noop: return junkReply(ServerReplies.ok)
        case .help: return junkReply(isLMTP ? ServerReplies.lmtpHelp : ServerReplies.help)
        case .vrfy: return junkReply(ServerReplies.verify)
        case .quit: return end(ServerReplies.bye)
        case .startTLS: return takeStartTLS()
        case .auth(let mechanism, let response): return takeAuthentication(mechanism, response)
        case .xclient(let override): return takeOverride(override)
        case .notImplemented(let verb): return unknown(line, ServerReplies.notImplemented(verb))
        case .foreign: return respond(ServerReplies.foreign(settings.hostname))
        case .unknown: return unknown(line, ServerReplies.unknownCommand)
        }
    }

    private mutating func unknown(_ line: [UInt8], _ usual: SMTPReply) -> [ServerAction] {
        ask(.unknownCommand(String(decoding: line, as: UTF8.self)), .unknownCommand(usual))
    }

    /// RFC 3207 §4: where TLS is a must, everything else but these is answered with 530.
    private func refusalWithoutTLS(of command: Command) -> SMTPReply? {
        guard settings.requiresTLS, !isTLS else { return nil }
        switch command {
        case .mail, .rcpt, .data, .vrfy: return ServerReplies.needTLS
        default: return nil
        }
    }

    mutating func ask(_ question: ServerQuestion, _ pending: Pending) -> [ServerAction] {
        self.pending = pending
        return [.ask(question)]
    }

    /// A command that moves no mail: patience with them ends.
    private mutating func junkReply(_ reply: SMTPReply) -> [ServerAction] {
        junk += 1
        if junk > settings.junkLimit { errors += 1 }
        return respond(reply)
    }

    private mutating func takeReset() -> [ServerAction] {
        guard mail != nil else { return junkReply(ServerReplies.ok) }
        let abort = dropMail()
        return abort + respond(ServerReplies.ok)
    }

    private mutating func takeStartTLS() -> [ServerAction] {
        guard !isTLS else { return respond(SMTPReply(503, "5.5.1", "Error: TLS already active")) }
        guard settings.offersTLS else { return respond(SMTPReply(502, "5.5.1", "Error: STARTTLS is not available")) }
        let abort = dropMail()
        pending = .tls
        return abort + [.send(ServerReplies.ready), .startTLS]
    }
}
