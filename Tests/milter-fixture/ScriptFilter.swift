import InternetMessage
import Milter

/// Does what the conversation asks for: the HELO name or an address's local part asks for an answer, `X-Do` fields of
/// the message for modifications, executed in their order.
struct ScriptFilter: MailFilter {
    let name = "script"
    let stages: Set<MilterStage>
    func makeSession() -> any FilterSession { ScriptSession() }
}

private struct ScriptSession: FilterSession {
    func connect(_ connection: ConnectionFacts) async -> FilterAnswer { answer(connection.clientName?.split(separator: ".").first) }

    func helo(_ name: String, _ connection: ConnectionFacts) async -> FilterAnswer { answer(name.split(separator: ".").first) }

    func mail(_ transaction: inout Transaction) async -> FilterAnswer {
        let word = transaction.sender.address?.localPart ?? ""
        if word == "slow" { try? await Task.sleep(for: .seconds(60)) }
        return answer(word)
    }

    func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> FilterAnswer {
        answer(recipient.address.localPart)
    }

    func data(_ transaction: inout Transaction) async -> FilterAnswer {
        let refused = transaction.recipients.contains { $0.address.localPart == "nodata" }
        return refused ? .reject(SMTPReply(554, "5.5.1", "refused at DATA")) : .continue
    }

    func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        for field in transaction.message.header.all("X-Do") {
            let words = field.value.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
            if let answer = await run(words, &transaction) { return answer }
        }
        return .continue
    }

    private func run(_ words: [String], _ transaction: inout Transaction) async -> FilterAnswer? {
        func word(_ index: Int) -> String { index < words.count ? words[index] : "" }
        let rest = words.dropFirst(3).joined(separator: " ")
        switch word(0) {
        case "insert": transaction.apply(.insertHeader(index: Int(word(1)) ?? 0, HeaderField(name: word(2), value: rest)))
        case "add": transaction.apply(.addHeader(HeaderField(name: word(1), value: words.dropFirst(2).joined(separator: " "))))
        case "change": transaction.apply(.changeHeader(name: word(1), occurrence: Int(word(2)) ?? 0, HeaderField(name: word(1), value: rest)))
        case "delete": transaction.apply(.changeHeader(name: word(1), occurrence: Int(word(2)) ?? 0, nil))
        case "addrcpt": apply(address: word(1)) { transaction.apply(.addRecipient(EnvelopeRecipient($0, parameters: parameters(word(2))))) }
        case "delrcpt": apply(address: word(1)) { transaction.apply(.removeRecipient($0)) }
        case "chgfrom": apply(address: word(1)) { transaction.apply(.changeSender(EnvelopeSender($0, parameters: parameters(word(2))))) }
        case "body": transaction.apply(.replaceBody(MessageBody(Array((word(1) + "\r\n").utf8))))
        case "bigbody": transaction.apply(.replaceBody(MessageBody(Array(repeating: 120, count: Int(word(1)) ?? 0))))
        case "quarantine": transaction.apply(.quarantine(words.dropFirst().joined(separator: " ")))
        case "wait": try? await Task.sleep(for: .milliseconds(Int(word(1)) ?? 0))
        default: return answer(word(0))
        }
        return nil
    }

    private func apply(address text: String, _ change: (EmailAddress) -> Void) {
        if let address = EmailAddress(text) { change(address) }
    }

    private func parameters(_ text: String) -> [String: String] {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        return parts.count == 2 ? [parts[0]: parts[1]] : [:]
    }

    private func answer(_ word: (some StringProtocol)?) -> FilterAnswer {
        switch word.map({ String($0) }) {
        case "reject": .reject(SMTPReply(554, "5.7.9", "scripted refusal of 100%"))
        case "tempfail": .tempfail(SMTPReply(450, "4.7.9", "scripted delay"))
        case "multi": .reject(SMTPReply(550, "5.7.1", lines: ["first line", "second line"]))
        case "discard": .discard
        case "accept": .accept
        default: .continue
        }
    }
}

/// Says what it sees: adds `X-Facts` fields, runs after the script and so sees its changes.
struct EchoFilter: MailFilter {
    let name = "echo"
    let stages: Set<MilterStage>
    func makeSession() -> any FilterSession { EchoSession() }
}

private struct EchoSession: FilterSession {
    func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        let wanted = transaction.message.header.all("X-Tell").map(\.value)
        guard !wanted.isEmpty else { return .continue }
        for text in wanted { transaction.apply(.addHeader(HeaderField(name: "X-Facts", value: fact(text, transaction)))) }
        return .continue
    }

    private func fact(_ name: String, _ transaction: Transaction) -> String {
        let connection = transaction.connection
        switch name {
        case "client": return "\(connection.clientAddress.map(\.description) ?? "-") \(connection.clientPort.map(String.init) ?? "-") \(connection.clientName ?? "-")"
        case "local": return "\(connection.localAddress.map(\.description) ?? "-") \(connection.localPort.map(String.init) ?? "-")"
        case "ours": return "\(connection.isOriginating) \(connection.isOwnNetwork) \(connection.daemonName)"
        case "auth": return "\(connection.authenticatedUser ?? "-") \(connection.authenticationMechanism ?? "-")"
        case "tls": return connection.tls.map { "\($0.version) \($0.cipher) \($0.cipherBits)" } ?? "-"
        case "helo": return transaction.helo
        case "id": return transaction.id
        case "envelope": return envelope(transaction)
        case "header": return transaction.message.header.fields.map { $0.bytes.map { String($0, radix: 16) }.joined(separator: ".") }.joined(separator: "/")
        case "body": return "\(transaction.message.body.count) \(checksum(transaction.message.body))"
        default: return "?"
        }
    }

    private func envelope(_ transaction: Transaction) -> String {
        func text(_ parameters: [String: String]) -> String { parameters.sorted { $0.key < $1.key }.map { "[\($0.key)=\($0.value)]" }.joined() }
        let recipients = transaction.recipients.map { "\($0.address)\(text($0.parameters))" }.joined(separator: ",")
        return "\(transaction.sender.address?.description ?? "<>")\(text(transaction.sender.parameters)) > \(recipients)"
    }

    /// The sum of the octets, each times its place from 1, modulo 2^32.
    private func checksum(_ body: MessageBody) -> UInt32 {
        var sum: UInt32 = 0, place: UInt32 = 0
        try? body.forEachChunk { for octet in $0 { place &+= 1; sum &+= place &* UInt32(octet) } }
        return sum
    }
}
