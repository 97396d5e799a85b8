import InternetMessage
import Milter
import NetworkAddress

/// The arguments of a MAIL or RCPT event: the address as the MTA writes it, and the ESMTP parameters.
struct EnvelopeArguments {
    /// The address as given, brackets included: what the MTA knows this recipient by.
    let raw: String
    /// nil: the null reverse-path.
    let address: EmailAddress?
    let parameters: [String: String]

    /// - Parameters:
    ///   - arguments: libmilter's argv: the address first.
    ///   - localHost: the MTA's own name, the domain of an address that has none.
    /// - Returns: nil when no address can be made of it.
    ///
    /// Strict grammar first; what an MTA accepted beyond it (`a..b@example.org`, a bare `root`) is taken leniently,
    /// since to judge the address's form is the MTA's business and it has judged.
    init?(_ arguments: [String], localHost: String?) {
        guard let raw = arguments.first else { return nil }
        self.raw = raw
        parameters = Self.parameters(arguments.dropFirst())
        let bare = raw.hasPrefix("<") && raw.hasSuffix(">") ? String(raw.dropFirst().dropLast()) : raw
        var parser = PathParser(Array("<\(bare)>".utf8))
        if let path = parser.path(), parser.atEnd {
            switch path {
            case .null:
                address = nil
                return
            case .mailbox(let mailbox):
                address = mailbox
                return
            case .postmaster: break
            }
        }
        guard let lenient = Self.lenient(bare, localHost: localHost) else { return nil }
        address = lenient
    }

    private static func lenient(_ text: String, localHost: String?) -> EmailAddress? {
        guard let at = text.lastIndex(of: "@") else {
            guard !text.isEmpty, let domain = DomainName(localHost ?? "localhost") else { return nil }
            return EmailAddress(localPart: text, domain: domain)
        }
        let local = String(text[..<at])
        let domainText = text[text.index(after: at)...]
        guard !local.isEmpty, !domainText.isEmpty, let domain = DomainName(String(domainText)) else { return nil }
        return EmailAddress(localPart: local, domain: domain)
    }

    /// `SIZE=100`, `SMTPUTF8` (RFC 5321 §4.1.1.11): keyword in upper case, empty when there is no value.
    private static func parameters(_ words: some Sequence<String>) -> [String: String] {
        words.reduce(into: [:]) { out, word in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let keyword = parts.first, !keyword.isEmpty else { return }
            out[keyword.uppercased()] = parts.count == 2 ? String(parts[1]) : ""
        }
    }

    /// The parameters as MAIL and RCPT write them, in a steady order; nil when there are none.
    static func text(_ parameters: [String: String]) -> String? {
        guard !parameters.isEmpty else { return nil }
        return parameters.sorted { $0.key < $1.key }.map { $0.value.isEmpty ? $0.key : "\($0.key)=\($0.value)" }.joined(separator: " ")
    }
}
