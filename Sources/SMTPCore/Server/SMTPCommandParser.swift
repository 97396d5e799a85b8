import InternetMessage

/// Parses a command line, without its CRLF, into a ``SMTPCommand``.
public enum SMTPCommandParser {
    /// Never fails: what is wrong comes back as ``SMTPCommand/malformed(_:)`` or ``SMTPCommand/unknown(_:)``.
    public static func parse(_ line: ArraySlice<UInt8>) -> SMTPCommand {
        guard line.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 }) else {
            return .malformed(SMTPReply(500, "5.5.2", "Error: control characters in a command"))
        }
        let verb = line.prefix { $0 != 32 && $0 != 9 }
        let rest = trimmed(line[verb.endIndex...])
        guard verb.count <= 16 else { return .unknown("") }
        switch String(decoding: verb, as: UTF8.self).uppercased() {
        case "HELO": return greeting(rest) { .helo($0) }
        case "EHLO": return greeting(rest) { .ehlo($0) }
        case "MAIL": return mail(rest)
        case "RCPT": return rcpt(rest)
        case "DATA": return bare(rest, .data)
        case "BDAT": return bdat(rest)
        case "RSET": return bare(rest, .rset)
        case "QUIT": return bare(rest, .quit)
        case "STARTTLS": return bare(rest, .startTLS)
        case "NOOP": return .noop
        case "HELP": return .help
        case "VRFY": return .vrfy
        case "EXPN": return .expn
        case "AUTH": return auth(rest)
        case let other: return .unknown(other)
        }
    }

    private static func syntax(_ usage: String) -> SMTPCommand { .malformed(SMTPReply(501, "5.5.4", "Syntax: " + usage)) }

    private static func bare(_ rest: ArraySlice<UInt8>, _ command: SMTPCommand) -> SMTPCommand {
        rest.isEmpty ? command : .malformed(SMTPReply(501, "5.5.4", "Syntax: this command takes no arguments"))
    }

    /// The name is kept as said: many clients say things that are no domain, and policy may judge them.
    private static func greeting(_ rest: ArraySlice<UInt8>, _ make: (String) -> SMTPCommand) -> SMTPCommand {
        let name = rest.prefix { $0 != 32 && $0 != 9 }
        guard !name.isEmpty, name.count <= 255 else { return syntax("HELO hostname") }
        return make(String(decoding: name, as: UTF8.self))
    }

    private static func mail(_ rest: ArraySlice<UInt8>) -> SMTPCommand {
        guard let argument = after("FROM:", rest) else { return syntax("MAIL FROM:<address>") }
        var parser = PathParser(Array(argument))
        let sender: EmailAddress?
        switch parser.path() {
        case .null: sender = nil
        case .mailbox(let address): sender = address
        case .postmaster, nil: return .malformed(SMTPReply(501, "5.1.7", "Bad sender address syntax: MAIL FROM:<local@domain>"))
        }
        return parameters(argument.dropFirst(parser.position)) { .mail(sender: sender, parameters: $0) }
    }

    private static func rcpt(_ rest: ArraySlice<UInt8>) -> SMTPCommand {
        guard let argument = after("TO:", rest) else { return syntax("RCPT TO:<address>") }
        var parser = PathParser(Array(argument))
        let path: SMTPCommand.RecipientPath
        switch parser.path() {
        case .mailbox(let address): path = .mailbox(address)
        case .postmaster: path = .postmaster
        case .null, nil: return .malformed(SMTPReply(501, "5.1.3", "Bad recipient address syntax: RCPT TO:<local@domain>"))
        }
        return parameters(argument.dropFirst(parser.position)) { .rcpt(path, parameters: $0) }
    }

    /// esmtp-keyword ["=" esmtp-value] (RFC 5321 §4.1.2), keyword upper-case, an absent value empty.
    private static func parameters(_ text: ArraySlice<UInt8>, _ make: ([String: String]) -> SMTPCommand) -> SMTPCommand {
        var found: [String: String] = [:]
        if let first = text.first, first != 32, first != 9 { return .malformed(SMTPReply(501, "5.5.4", "Syntax: a space must follow the address")) }
        for word in text.split(whereSeparator: { $0 == 32 || $0 == 9 }) {
            let parts = word.split(separator: 61, maxSplits: 1, omittingEmptySubsequences: false)
            let keyword = String(decoding: parts[0], as: UTF8.self).uppercased()
            guard keyword.first?.isLetter == true || keyword.first?.isNumber == true,
                keyword.utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) || $0 == 45 }),
                found[keyword] == nil, parts.count == 1 || !parts[1].isEmpty
            else { return .malformed(SMTPReply(501, "5.5.4", "Syntax: bad or repeated parameter")) }
            found[keyword] = parts.count == 2 ? String(decoding: parts[1], as: UTF8.self) : ""
        }
        return make(found)
    }

    private static func bdat(_ rest: ArraySlice<UInt8>) -> SMTPCommand {
        let words = rest.split(whereSeparator: { $0 == 32 || $0 == 9 })
        let last = words.count == 2 && String(decoding: words[1], as: UTF8.self).uppercased() == "LAST"
        guard let digits = words.first, words.count == 1 || last, digits.count <= 18, digits.allSatisfy({ (48...57).contains($0) }),
            let size = Int(String(decoding: digits, as: UTF8.self))
        else { return syntax("BDAT size [LAST]") }
        return .bdat(size: size, last: last)
    }

    private static func auth(_ rest: ArraySlice<UInt8>) -> SMTPCommand {
        let words = rest.split(whereSeparator: { $0 == 32 || $0 == 9 })
        guard let mechanism = words.first, words.count <= 2 else { return syntax("AUTH mechanism [initial-response]") }
        return .auth(mechanism: String(decoding: mechanism, as: UTF8.self).uppercased(),
                     initialResponse: words.count == 2 ? String(decoding: words[1], as: UTF8.self) : nil)
    }

    /// The argument behind `FROM:` or `TO:`; blanks after the colon are tolerated, as Postfix does.
    private static func after(_ word: String, _ rest: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard rest.count >= word.utf8.count, String(decoding: rest.prefix(word.utf8.count), as: UTF8.self).uppercased() == word else { return nil }
        return trimmed(rest.dropFirst(word.utf8.count))
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text
        while let first = text.first, first == 32 || first == 9 { text = text.dropFirst() }
        while let last = text.last, last == 32 || last == 9 { text = text.dropLast() }
        return text
    }
}
