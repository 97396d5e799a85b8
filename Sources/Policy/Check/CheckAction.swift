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
        }
    }

    private func demandStage(_ action: ActionSyntax) throws {
        switch action.kind {
        case .accept, .reject, .tempfail: return
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
    private static func looksEnhanced(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0].count == 1 && parts.allSatisfy { (1...3).contains($0.count) && $0.utf8.allSatisfy { (48...57).contains($0) } }
    }

    private func headerName(_ literal: LiteralSyntax) throws -> String {
        guard case .string(let name) = literal.kind, Self.isHeaderName(name) else {
            throw Mistake(literal.range, "this is not a header's name", fix: "a name is letters, digits and hyphens, without the colon")
        }
        return name
    }

    /// A folder's name is literal: a sender must not choose where a message goes.
    private func folderName(_ literal: LiteralSyntax) throws -> String {
        guard case .string(let name) = literal.kind else { throw Mistake(literal.range, "a folder's name is a string") }
        guard !name.contains("{") else {
            throw Mistake(literal.range, "a folder's name takes no {…}", fix: "senders choose what stands there; write a rule for each folder")
        }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard name.utf8.count <= 200, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }), !name.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) else {
            throw Mistake(literal.range, "'\(name)' is not a folder's name", fix: "write \"Junk\" or \"Lists/swift\"")
        }
        return name
    }

    /// RFC 3501 §9: flag-keyword is an atom; `\Seen` and its like are not for rules.
    private func keywordName(_ literal: LiteralSyntax) throws -> String {
        let special = Set("(){ %*\"\\]".utf8)
        guard case .string(let name) = literal.kind, !name.isEmpty, name.utf8.count <= 64,
            name.utf8.allSatisfy({ $0 > 32 && $0 < 127 && !special.contains($0) }) else {
            throw Mistake(literal.range, "this is not an IMAP keyword", fix: "write \"$Leaked\" or \"Shopping\": no blanks, brackets, quotes or backslash")
        }
        return name
    }
}
