import NetworkAddress

/// domain-spec = macro-string domain-end (RFC 7208 §7.1).
enum DomainSpec {
    /// - Parameter term: the whole term, for the error's text.
    static func parse(_ text: String, in term: String) throws(SPFRecord.SyntaxError) -> MacroString {
        guard !text.isEmpty else { throw SPFRecord.SyntaxError(reason: "'\(term)' names no domain (RFC 7208 section 7.1)") }
        let macro: MacroString
        do { macro = try MacroString(text, for: .domainSpec) } catch {
            throw SPFRecord.SyntaxError(reason: "'\(term)' is malformed: \(error.reason)")
        }
        if macro.endsInMacro || hasTopLabel(text) { return macro }
        if IPAddress(text) != nil {
            throw SPFRecord.SyntaxError(
                reason: "'\(term)' names an address where a domain belongs; ip4: or ip6: is meant for that (RFC 7208 section 7.1)")
        }
        throw SPFRecord.SyntaxError(reason: "'\(term)' does not end in a dot and a top-level label, or in a macro (RFC 7208 section 7.1)")
    }

    /// domain-end = ( "." toplabel [ "." ] ). Looked for in the text as written: what macros expand to is not
    /// checked (§4.8), and a literal part may not end in `%%`, `%_` or `%-` since no label may hold them.
    private static func hasTopLabel(_ text: String) -> Bool {
        var text = Substring(text)
        if text.hasSuffix(".") { text.removeLast() }
        guard let dot = text.lastIndex(of: ".") else { return false }
        let label = text[text.index(after: dot)...].utf8
        // ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
        guard let first = label.first, let last = label.last, first != 45, last != 45 else { return false }
        return label.allSatisfy { SPFRecord.isAlpha($0) || SPFRecord.isDigit($0) || $0 == 45 } && !label.allSatisfy(SPFRecord.isDigit)
    }
}
