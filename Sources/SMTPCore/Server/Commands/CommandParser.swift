import InternetMessage

/// Parses one command line, its CRLF taken off.
///
/// Strict, with one indulgence: blanks between `FROM:` or `TO:` and the path, which many clients send.
public enum CommandParser {
    public static func parse(_ line: [UInt8]) throws(CommandError) -> Command {
        guard !line.contains(where: { $0 < 32 && $0 != 9 || $0 == 127 }) else { throw .badCharacter }
        let verbEnd = line.firstIndex { $0 == 32 || $0 == 9 } ?? line.endIndex
        let verb = String(decoding: line[..<verbEnd], as: UTF8.self).uppercased()
        let argument = trimmed(line[verbEnd...])
        switch verb {
        case "MAIL": return .mail(try mail(argument))
        case "RCPT": return .rcpt(try recipient(argument))
        default: break
        }
        // Only paths may leave US-ASCII (RFC 6531 §3.3), and HELO names, which are not ours to judge.
        switch verb {
        case "EHLO": return .ehlo(try helloName(argument, "EHLO hostname"))
        case "LHLO": return .lhlo(try helloName(argument, "LHLO hostname"))
        case "HELO": return .helo(try helloName(argument, "HELO hostname"))
        case "DATA": return try bare(.data, argument)
        case "BDAT": return try chunk(argument)
        case "RSET": return try bare(.rset, argument)
        case "QUIT": return try bare(.quit, argument)
        case "STARTTLS": return try bare(.startTLS, argument)
        case "AUTH": return try authentication(argument)
        case "XCLIENT": return .xclient(try ClientOverride.parse(argument))
        case "NOOP": return .noop
        case "HELP": return .help
        case "VRFY":
            guard !argument.isEmpty else { throw .syntax("VRFY address") }
            return .vrfy
        case "EXPN", "ETRN", "TURN", "ATRN", "SEND", "SOML", "SAML", "XFORWARD": return .notImplemented(verb)
        case "GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "HOST:", "USER-AGENT:": return .foreign(verb)
        default: return .unknown
        }
    }

    private static func bare(_ command: Command, _ argument: ArraySlice<UInt8>) throws(CommandError) -> Command {
        guard argument.isEmpty else { throw .argumentNotAllowed }
        return command
    }

    /// One word. RFC 5321 §4.1.4 forbids refusing a message for an unfitting name, so names that are no domains pass.
    private static func helloName(_ argument: ArraySlice<UInt8>, _ form: String) throws(CommandError) -> String {
        guard !argument.isEmpty, argument.count <= 255, !argument.contains(where: { $0 == 32 || $0 == 9 }),
            let name = String(validating: argument, as: UTF8.self) else { throw .syntax(form) }
        return name
    }

    private static func mail(_ argument: ArraySlice<UInt8>) throws(CommandError) -> MailCommand {
        let form = "MAIL FROM:<address>"
        let (path, isASCII, rest) = try self.path(argument, "FROM:", form, .badSender)
        let parameters = try EnvelopeParameters.parse(rest, known: EnvelopeParameters.mail)
        let smtpUTF8 = parameters["SMTPUTF8"] != nil
        guard isASCII || smtpUTF8 else { throw .needsSMTPUTF8 }
        let sender: EmailAddress?
        switch path {
        case .null: sender = nil
        case .mailbox(let address): sender = address
        case .postmaster: throw .badSender
        }
        // 20 digits may exceed an Int: such a size is too large in any case.
        let size = parameters["SIZE"].map { Int($0) ?? .max }
        return MailCommand(sender: sender, parameters: parameters, size: size, smtpUTF8: smtpUTF8)
    }

    private static func recipient(_ argument: ArraySlice<UInt8>) throws(CommandError) -> RecipientCommand {
        let (path, isASCII, rest) = try self.path(argument, "TO:", "RCPT TO:<address>", .badRecipient)
        let parameters = try EnvelopeParameters.parse(rest, known: EnvelopeParameters.recipient)
        switch path {
        case .null: throw .badRecipient
        case .postmaster: return RecipientCommand(path: .postmaster, parameters: parameters)
        case .mailbox(let address): return RecipientCommand(path: .mailbox(address), parameters: parameters, needsSMTPUTF8: !isASCII)
        }
    }

    /// `FROM:<path>` or `TO:<path>`, and what follows it.
    private static func path(
        _ argument: ArraySlice<UInt8>, _ keyword: String, _ form: String, _ error: CommandError
    ) throws(CommandError) -> (PathParser.Path, isASCII: Bool, rest: ArraySlice<UInt8>) {
        let head = argument.prefix(keyword.utf8.count)
        guard String(decoding: head, as: UTF8.self).uppercased() == keyword else { throw .syntax(form) }
        let text = Array(trimmed(argument.dropFirst(head.count)))
        var parser = PathParser(text)
        guard let path = parser.path() else { throw error }
        let rest = text[parser.position...]
        guard rest.isEmpty || rest.first == 32 || rest.first == 9 else { throw error }
        return (path, text[..<parser.position].allSatisfy { $0 < 0x80 }, trimmed(rest))
    }

    /// `BDAT chunk-size [LAST]` (RFC 3030 §2).
    private static func chunk(_ argument: ArraySlice<UInt8>) throws(CommandError) -> Command {
        let form = CommandError.syntax("BDAT size [LAST]")
        let words = argument.split(whereSeparator: { $0 == 32 || $0 == 9 })
        guard let digits = words.first, digits.count <= 18, digits.allSatisfy({ (48...57).contains($0) }),
            let count = Int(String(decoding: digits, as: UTF8.self)), words.count <= 2 else { throw form }
        guard words.count == 2 else { return .bdat(count: count, last: false) }
        guard String(decoding: words[1], as: UTF8.self).uppercased() == "LAST" else { throw form }
        return .bdat(count: count, last: true)
    }

    /// `AUTH mechanism [initial-response]` (RFC 4954 §4).
    private static func authentication(_ argument: ArraySlice<UInt8>) throws(CommandError) -> Command {
        let words = argument.split(separator: 32)
        guard let mechanism = words.first, words.count <= 2, mechanism.count <= 20 else { throw .syntax("AUTH mechanism [initial-response]") }
        return .auth(mechanism: String(decoding: mechanism, as: UTF8.self).uppercased(), initialResponse: words.count == 2 ? Array(words[1]) : nil)
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let first = bytes.first, first == 32 || first == 9 { bytes = bytes.dropFirst() }
        while let last = bytes.last, last == 32 || last == 9 { bytes = bytes.dropLast() }
        return bytes
    }
}
