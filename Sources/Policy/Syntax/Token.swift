import NetworkAddress

/// A token and where it stands.
struct Token: Sendable {
    enum Kind: Sendable, Equatable {
        /// A keyword, name or word value: `rule`, `client.ip`, `fail`.
        case word(String)
        /// A string with its escapes resolved; the parts with `{…}` are cut from the source where text is interpolated.
        case string(String)
        /// Several lines between `"""` and `"""`.
        case block(TextBlock)
        case number(Int)
        /// `1h`, in seconds. `5m` is a number, five mebibytes, until something asks for a length of time.
        case duration(Int)
        /// `127.0.0.2..127.0.0.11`, IPv4.
        case addresses(ClosedRange<UInt32>)
        case network(IPNetwork)
        case pattern(String, ignoreCase: Bool)
        /// `==`, `(`, `,` and their like.
        case mark(String)
        case end
    }

    let kind: Kind
    let range: Range<Int>

    /// As messages name it.
    var shown: String {
        switch kind {
        case .word(let text), .mark(let text): "'\(text)'"
        case .string: "a string"
        case .block: "a text block"
        case .number(let number): "the number \(number)"
        case .duration(let seconds): "the time \(PolicyDuration.text(seconds))"
        case .addresses: "a range of addresses"
        case .network(let network): "the address \(network)"
        case .pattern: "a pattern"
        case .end: "the end of the file"
        }
    }
}
