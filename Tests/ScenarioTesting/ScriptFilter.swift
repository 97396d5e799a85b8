import InternetMessage
import Milter

/// Does what the conversation asks for: the HELO name or an address's local part asks for an answer, `X-Do` fields of
/// the message for modifications, executed in their order.
public struct ScriptFilter: MailFilter {
    /// Every stage that a ``FilterSession`` can be asked at.
    public static let allStages: Set<MilterStage> = [.connect, .helo, .mail, .rcpt, .data, .endOfMessage]

    public let name = "script"
    public let stages: Set<MilterStage>
    public init(stages: Set<MilterStage> = ScriptFilter.allStages) { self.stages = stages }
    public func makeSession() -> any FilterSession { ScriptSession() }
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
        let recipients = transaction.recipients.map(\.address.localPart)
        if recipients.contains("nodata") { return .reject(SMTPReply(554, "5.5.1", "refused at DATA")) }
        // At DATA the recipient's detail speaks: `bob+data-tempfail`.
        let words = recipients.compactMap { $0.split(separator: "+").last }.filter { $0.hasPrefix("data-") }
        return answer(words.first?.dropFirst(5))
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
        let places = MilterPlaces(transaction)
        switch word(0) {
        case "insert": transaction.apply(.insertHeader(index: places.place(Int(word(1)) ?? 0), HeaderField(name: word(2), value: rest)))
        case "add": transaction.apply(.addHeader(HeaderField(name: word(1), value: words.dropFirst(2).joined(separator: " "))))
        case "change": transaction.apply(.changeHeader(name: word(1), occurrence: places.occurrence(Int(word(2)) ?? 0, of: word(1)), HeaderField(name: word(1), value: rest)))
        case "delete": transaction.apply(.changeHeader(name: word(1), occurrence: places.occurrence(Int(word(2)) ?? 0, of: word(1)), nil))
        case "addrcpt": apply(address: word(1)) { transaction.apply(.addRecipient(EnvelopeRecipient($0, parameters: parameters(word(2))))) }
        case "delrcpt": apply(address: word(1)) { transaction.apply(.removeRecipient($0)) }
        case "chgfrom": apply(address: word(1)) { transaction.apply(.changeSender(EnvelopeSender($0, parameters: parameters(word(2))))) }
        case "nobody": transaction.apply(.replaceBody(MessageBody()))
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
        case "long": .reject(SMTPReply(554, "5.7.1", lines: (1...5).map { "line \($0) of five" }))
        case "plain": .reject(SMTPReply(550, nil, "without an enhanced code"))
        case "multi": .reject(SMTPReply(550, "5.7.1", lines: ["first line", "second line"]))
        case "discard": .discard
        case "accept": .accept
        default: .continue
        }
    }
}
