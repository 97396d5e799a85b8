import InternetMessage

/// What may be done at which stage, and with which texts.
extension RuleChecker {
    mutating func check(_ action: ActionSyntax) -> RuleAction? { attempt { try $0.checked(action) } }

    private func checked(_ action: ActionSyntax) throws -> RuleAction {
        try demandStage(action)
        switch action.kind {
        case .accept: return .accept
        case .discard: return .discard
        case .reject(let code, let texts):
            let reply = try reply(code, texts, ReplyDefaults(family: 5, code: 550, enhanced: "5.7.1", text: "refused by policy"))
            return .reject(reply.0, reply.1, reply.2)
        case .tempfail(let code, let texts):
            let reply = try reply(code, texts, ReplyDefaults(family: 4, code: 451, enhanced: "4.7.1", text: "not now, try again later"))
            return .tempfail(reply.0, reply.1, reply.2)
        case .quarantine(let text): return .quarantine(try template(text))
        case .addHeader(let name, let text): return .addHeader(try headerName(name), try template(text))
        case .setHeader(let name, let text): return .setHeader(try headerName(name), try template(text))
        case .removeHeader(let name): return .removeHeader(try headerName(name))
        case .subjectPrefix(let text): return .subjectPrefix(try template(text))
        case .fileInto(let folder): return .fileInto(try folderName(folder))
        case .addKeyword(let keyword): return .addKeyword(try keywordName(keyword))
        case .exemptTag(let text): return .exemptTag(try template(text))
        case .redirect(let address): return .redirect(try target(address))
        case .copy(let address): return .copy(try target(address))
        case .changeRecipient(let address): return .changeRecipient(try target(address))
        case .limit(let name, let limit): return try self.limit(name, limit)
        case .greylist(let terms): return .greylist(try greylistTerms(terms))
        case .requireTLS(let version): return .requireTLS(try version.map(tlsVersion))
        case .nextFile: return .nextFile
        }
    }

    private func demandStage(_ action: ActionSyntax) throws {
        switch action.kind {
        case .accept, .reject, .tempfail, .limit, .nextFile: return
        case .redirect, .copy:
            guard stage != .rcpt, stage != .message else { return }
            throw Mistake(action.range, "there is no recipient at stage \(stage.rawValue)", fix: "move the rule below 'stage rcpt' (this recipient) or 'stage message' (the whole message)")
        case .changeRecipient:
            guard stage != .rcpt else { return }
            throw Mistake(action.range, "no single recipient is asked about at stage \(stage.rawValue)",
                          fix: stage == .message ? "write 'redirect to', or move the rule below 'stage rcpt'" : "move the rule below 'stage rcpt'")
        case .greylist:
            guard stage != .rcpt else { return }
            throw Mistake(action.range, "greylisting needs the recipient", fix: "move the rule below 'stage rcpt'")
        case .requireTLS:
            guard ![.mail, .rcpt, .data].contains(stage) else { return }
            throw Mistake(action.range, stage == .message ? "the message has come already" : "the client has had no time for STARTTLS yet", fix: "move the rule below 'stage mail'")
        case .discard:
            // Before MAIL there is no message that could be taken and thrown away (libmilter forbids it too).
            guard stage < .mail else { return }
            throw Mistake(action.range, "there is nothing to discard at stage \(stage.rawValue)", fix: "write reject, or move the rule below 'stage mail'")
        default:
            guard stage != .message else { return }
            throw Mistake(action.range, "a message cannot be changed at stage \(stage.rawValue): it has not come yet", fix: "move the rule below 'stage message'")
        }
    }

    struct ReplyDefaults {
        let family: Int, code: Int
        let enhanced: String, text: String
    }

    /// `[code] ["enhanced"] ["text"]`
    private func reply(_ code: LiteralSyntax?, _ texts: [LiteralSyntax], _ defaults: ReplyDefaults) throws -> (Int, String, TextTemplate) {
        var texts = texts[...], enhanced = defaults.enhanced
        if let first = texts.first, case .string(let text) = first.kind, Self.looksEnhanced(text) {
            // RFC 3463 §2: the class of the status code is the reply's first digit (RFC 2034 §4).
            guard text.hasPrefix("\(defaults.family).") else {
                throw Mistake(first.range, "the status code \(text) is not of class \(defaults.family)", fix: "write \"\(defaults.family)\(text.dropFirst())\"")
            }
            enhanced = text
            texts = texts.dropFirst()
        }
        guard texts.count <= 1 else {
            throw Mistake(texts[texts.startIndex + 1].range, "too many texts", fix: "write a code, an enhanced status code such as \"\(defaults.enhanced)\", and one text")
        }
        let text = try texts.first.map { try template($0, toSender: true) } ?? TextTemplate(parts: [.text(defaults.text)])
        return (try replyCode(code, defaults), enhanced, text)
    }

    private func replyCode(_ literal: LiteralSyntax?, _ defaults: ReplyDefaults) throws -> Int {
        guard let literal, case .number(let code) = literal.kind else { return defaults.code }
        // RFC 5321 §4.2.1: the second digit is 0 to 5.
        guard code / 100 == defaults.family, code % 100 < 60 else {
            throw Mistake(literal.range, "\(code) is not a \(defaults.family == 5 ? "refusal" : "temporary refusal")", fix: "write a code from \(defaults.family)00 to \(defaults.family)59, such as \(defaults.code)")
        }
        return code
    }

    /// Whether a text is a status code of RFC 3463 §2.
    static func looksEnhanced(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0].count == 1 && parts.allSatisfy { (1...3).contains($0.count) && $0.utf8.allSatisfy { (48...57).contains($0) } }
    }
}
