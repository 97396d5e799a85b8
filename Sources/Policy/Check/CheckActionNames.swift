import InternetMessage

/// Names that actions take: of headers, folders, keywords and addresses.
extension RuleChecker {
    func headerName(_ literal: LiteralSyntax) throws -> String {
        guard case .string(let name) = literal.kind, Self.isHeaderName(name) else {
            throw Mistake(literal.range, "this is not a header's name", fix: "a name is letters, digits and hyphens, without the colon")
        }
        return name
    }

    /// A folder's name is literal: a sender must not choose where a message goes.
    func folderName(_ literal: LiteralSyntax) throws -> String {
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
    func keywordName(_ literal: LiteralSyntax) throws -> String {
        let special = Set("(){ %*\"\\]".utf8)
        guard case .string(let name) = literal.kind, !name.isEmpty, name.utf8.count <= 64,
            name.utf8.allSatisfy({ $0 > 32 && $0 < 127 && !special.contains($0) }) else {
            throw Mistake(literal.range, "this is not an IMAP keyword", fix: "write \"$Leaked\" or \"Shopping\": no blanks, brackets, quotes or backslash")
        }
        return name
    }

    /// An address is literal, as a folder's name is: a sender must not choose where mail goes.
    func target(_ literal: LiteralSyntax) throws -> EmailAddress {
        guard case .string(let text) = literal.kind, !text.contains("{") else {
            throw Mistake(literal.range, "an address takes no {…}", fix: "senders choose what stands there; write the address")
        }
        guard let address = EmailAddress(text) else { throw Mistake(literal.range, "'\(text)' is not an address", fix: "write user@example.org") }
        return address
    }

    func limit(_ name: NameSyntax, _ literal: LiteralSyntax) throws -> RuleAction {
        guard case (.rate(let terms), _) = try resolve(name), case .number(let limit) = literal.kind, limit >= 0 else {
            throw Mistake(literal.range, "this is no number of events", fix: "write: limit rate(client.ip, 1h) to 100")
        }
        return .limit(terms, limit)
    }

    func tlsVersion(_ literal: LiteralSyntax) throws -> String {
        guard case .word(let version) = try value(literal, as: PolicyFact.tlsVersion.type(at: stage), of: PolicyFact.tlsVersion.rawValue) else { return "" }
        return version
    }

    func greylistTerms(_ written: [(Token, LiteralSyntax)]) throws -> GreylistTerms {
        var terms = GreylistTerms()
        for (word, value) in written {
            switch word.kind {
            case .word("delay"): terms.delay = try positive(value, "the delay")
            case .word("retry"): terms.retryWithin = try positive(value, "the time for a retry")
            case .word("keep"): terms.keep = try positive(value, "the time to keep")
            default:
                guard case .number(let number) = value.kind, number >= 0 else { throw Mistake(value.range, "'trust' needs a number of deliveries", fix: "write trust 5, or trust 0 for never") }
                terms.trustAfter = number
            }
        }
        if terms.delay >= terms.retryWithin, let place = written.first?.1.range {
            throw Mistake(place, "no retry can come after the delay and in time", fix: "the delay must be shorter than the time for a retry")
        }
        return terms
    }

    private func positive(_ literal: LiteralSyntax, _ what: String) throws -> Int {
        let seconds = try duration(literal, as: what)
        guard (1...366 * 86_400).contains(seconds) else { throw Mistake(literal.range, "\(what) is from 1s to 366d", fix: nil) }
        return seconds
    }
}
