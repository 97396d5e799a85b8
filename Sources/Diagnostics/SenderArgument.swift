import InternetMessage

/// A reverse-path as a person types it: `alice@example.org`, `<alice@example.org>`, and nothing or `<>` for the null sender.
///
/// The words need not be an address: SPF's check_host() has a result for every one of them (RFC 7208 §4.3).
public struct SenderArgument: Sendable, Hashable {
    /// Nil for the null sender.
    public let path: Path?

    public struct Path: Sendable, Hashable {
        /// Empty when there was no `@`; SPF then takes `postmaster`.
        public let localPart: String
        public let domain: String
    }

    public init(_ text: String) {
        let inner = text.hasPrefix("<") && text.hasSuffix(">") ? String(text.dropFirst().dropLast()) : text
        guard !inner.isEmpty else {
            path = nil
            return
        }
        guard let at = inner.lastIndex(of: "@") else {
            path = Path(localPart: "", domain: inner)
            return
        }
        path = Path(localPart: String(inner[..<at]), domain: String(inner[inner.index(after: at)...]))
    }
}
