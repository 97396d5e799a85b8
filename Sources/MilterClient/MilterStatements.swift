import InternetMessage
import Milter
import NetworkAddress

/// Commands to a milter, and its verdicts in our words.
enum MilterStatements {
    /// SMFIC_CONNECT: name, family (4, 6, L, U), port, address.
    ///
    /// Mail made on this machine comes from localhost at 127.0.0.1, port 0, as Postfix's cleanup(8) has it: milters know by
    /// it that the mail is their own users'.
    static func connect(_ connection: ConnectionFacts) -> [UInt8] {
        var packet = MilterPacketWriter(.connect)
        guard let address = connection.statedAddress else {
            packet.text("localhost")
            packet.raw(Array("U".utf8))
            return packet.finish()
        }
        packet.text(connection.statedName ?? "[\(address)]")
        let port = connection.clientPort ?? 0
        packet.raw([address.family == .v4 ? 0x34 : 0x36, UInt8(port >> 8), UInt8(port & 0xff)])
        packet.text(address.description)
        return packet.finish()
    }

    static func helo(_ name: String) -> [UInt8] {
        var packet = MilterPacketWriter(.helo)
        packet.text(name)
        return packet.finish()
    }

    /// SMFIC_UNKNOWN: the line as the client said it.
    static func unknown(_ line: String) -> [UInt8] {
        var packet = MilterPacketWriter(.unknown)
        packet.text(line)
        return packet.finish()
    }

    static func mail(_ sender: EnvelopeSender) -> [UInt8] {
        envelope(.mail, sender.address, sender.parameters)
    }

    static func rcpt(_ recipient: EnvelopeRecipient) -> [UInt8] {
        envelope(.rcpt, recipient.address, recipient.parameters)
    }

    private static func envelope(_ code: MilterCommandCode, _ address: EmailAddress?, _ parameters: [String: String]) -> [UInt8] {
        var packet = MilterPacketWriter(code)
        packet.text("<\(address?.description ?? "")>")
        for (keyword, value) in parameters.sorted(by: { $0.key < $1.key }) { packet.text(value.isEmpty ? keyword : "\(keyword)=\(value)") }
        return packet.finish()
    }

    /// - Throws: ``MilterClientError`` for what is no verdict.
    static func answer(_ packet: MilterReplyPacket) throws -> FilterAnswer {
        switch packet {
        case .continue, .skip: return .continue
        case .accept: return .accept
        case .discard: return .discard
        case .reject: return .reject(SMTPReply(550, "5.7.1", "Command rejected"))
        case .tempfail: return .tempfail(SMTPReply(451, "4.7.1", "Service unavailable - try again later"))
        case .replyCode(let text): return try reply(text)
        case .shutdown: return .tempfail(SMTPReply(421, "4.7.0", "Service unavailable - try again later"))
        case .connectionFailure: throw MilterClientError.failed
        default: throw MilterClientError.babble("a change outside the end of the message")
        }
    }

    /// SMFIR_REPLYCODE: whole reply lines, `550 5.7.1 text` or `550-5.7.1 text CRLF 550 5.7.1 text`.
    private static func reply(_ text: String) throws -> FilterAnswer {
        let lines = withoutFormats(text).split(whereSeparator: \.isNewline)
        guard let first = lines.first, let code = Int(first.prefix(3)), (400...599).contains(code), lines.allSatisfy({ isLine($0, code) }) else {
            throw MilterClientError.babble("reply \"\(text.prefix(60))\"")
        }
        var enhanced: String?
        let texts = lines.map { line -> String in
            let rest = line.dropFirst(4)
            let word = rest.prefix { $0 != " " }
            guard isEnhanced(word, code) else { return String(rest) }
            enhanced = String(word)
            return String(rest.dropFirst(word.count + 1))
        }
        // Without an enhanced code it goes to the client without one, as Postfix does: the milter's words are kept.
        let reply = SMTPReply(code, enhanced, lines: texts)
        return code < 500 ? .tempfail(reply) : .reject(reply)
    }

    /// The code, then a blank or a hyphen, as each line of a reply begins (RFC 5321 §4.2.1).
    private static func isLine(_ line: Substring, _ code: Int) -> Bool {
        let mark = line.dropFirst(3).first
        return line.hasPrefix(String(code)) && (mark == nil || mark == " " || mark == "-")
    }

    /// Sendmail takes the reply for a format string, so milters write `%%` for `%`; a single one means nothing.
    private static func withoutFormats(_ text: String) -> String {
        var out = "", isEscape = false
        for character in text {
            isEscape = character == "%" && !isEscape
            if !isEscape { out.append(character) }
        }
        return out
    }

    /// RFC 3463 §2: class "." subject "." detail, its class that of the code.
    private static func isEnhanced(_ word: Substring, _ code: Int) -> Bool {
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0] == String(code / 100) && parts.allSatisfy { (1...3).contains($0.count) && $0.allSatisfy { $0.isASCII && $0.isNumber } }
    }
}
