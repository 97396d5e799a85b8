import InternetMessage
import NetworkAddress

/// Values as written, read for the type they are compared with.
extension RuleChecker {
    /// - Parameter name: whose type it is, for the message.
    func value(_ literal: LiteralSyntax, as type: PolicyType, of name: String) throws -> PolicyValue {
        switch (type, literal.kind) {
        case (.text, .string(let text)): return .text(text)
        case (.address, .string(let text)):
            guard let address = EmailAddress(text) else { throw Mistake(literal.range, "'\(text)' is not an address", fix: Self.addressFix(text)) }
            return .address(address)
        case (.domain, .string(let text)):
            guard let domain = DomainName(text), !domain.isRoot, !text.contains("@"), !text.contains("*") else {
                throw Mistake(literal.range, "'\(text)' is not a domain", fix: text.contains("*") ? "write \(name) matches \"\(text)\"" : nil)
            }
            return .domain(domain)
        case (.ip, .network(let network)):
            guard network.prefixLength == network.address.bitWidth else {
                throw Mistake(literal.range, "\(network) is a range, not one address", fix: "write \(name) in \(network)")
            }
            return .ip(network.address)
        case (.number, .number(let number)): return .number(number)
        case (.duration, .number), (.duration, .duration): return .number(try duration(literal, as: name))
        case (.flag, .word("true")): return .flag(true)
        case (.flag, .word("false")): return .flag(false)
        case (.word(let words, _), .word(let word)), (.word(let words, _), .string(let word)):
            guard words.contains(word) else { throw Mistake(literal.range, "\(name) is never '\(word)'", fix: wordFix(word, words, name)) }
            return .word(word)
        case (_, .pattern): throw Mistake(literal.range, "a pattern is not compared this way", fix: "write \(name) matches /…/")
        default: throw Mistake(literal.range, "\(name) is \(type)", fix: Self.typeFix(type, source.text(literal.range)))
        }
    }

    private func wordFix(_ word: String, _ words: [String], _ name: String) -> String {
        if name == PolicyFact.tagStatus.rawValue, stage == .rcpt, case .word(let later, _) = PolicyFact.tagStatus.type(at: .message), later.contains(word) {
            return "that is known at stage message only, when the sender is authenticated; at rcpt it is " + words.joined(separator: ", ")
        }
        if let nearest = Spelling.nearest(to: word, among: words) { return "did you mean '\(nearest)'?" }
        return "it is one of " + words.joined(separator: ", ")
    }

    private static func addressFix(_ text: String) -> String? {
        if text.hasPrefix("@") || text.contains("*") { return "write in [\"\(text)\"], or compare the domain" }
        return "write user@example.org"
    }

    private static func typeFix(_ type: PolicyType, _ written: String) -> String? {
        switch type {
        case .text, .address, .domain: "put it in quotes: \"\(written.filter { $0 != "\"" })\""
        case .ip: "write an address without quotes: 192.0.2.1 or 2001:db8::1"
        case .number: "write a number such as 10 or 25M"
        case .duration: "write 30s, 5m, 1h, 2d or 1w"
        case .flag: "write true or false"
        case .word, .list: nil
        }
    }
}
