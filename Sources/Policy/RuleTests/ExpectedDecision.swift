import InternetMessage

/// `expect rcpt reject 550 "5.1.1" "no such recipient" for "bob@example.org"`; what is nil may be anything.
struct ExpectedDecision: Sendable, CustomStringConvertible {
    let stage: PolicyStage?
    /// accept, reject, tempfail, discard, quarantine; nil: none.
    let word: String?
    var code: Int?
    var enhanced: String?
    var text: String?
    var recipient: EmailAddress?

    func isMet(by actual: ActualDecision) -> Bool {
        word == actual.word && (code == nil || code == actual.reply?.code) && (enhanced == nil || enhanced == actual.reply?.enhancedCode)
            && (text == nil || text == actual.reply?.text)
    }

    var description: String {
        let parts = [stage?.rawValue, word ?? "none", code.map { "\($0)" }, enhanced, text.map { "\"\($0)\"" }, recipient.map { "for \($0)" }]
        return parts.compactMap { $0 }.joined(separator: " ")
    }
}

/// A decision that was made, in the words of expectations.
struct ActualDecision: CustomStringConvertible {
    let word: String?
    var reply: SMTPReply?

    init(_ decision: PolicyDecision?, without word: String? = nil) {
        switch decision {
        case nil: self.word = word
        case .accept: self.word = "accept"
        case .discard: self.word = "discard"
        case .reject(let reply): (self.word, self.reply) = ("reject", reply)
        case .tempfail(let reply): (self.word, self.reply) = ("tempfail", reply)
        }
    }

    var description: String { (word ?? "none") + (reply.map { " \($0)" } ?? "") }
}
