/// A text with `{name}` in it.
struct TextTemplate: Sendable {
    enum Part: Sendable {
        case text(String)
        case value(Subject)
    }

    /// Characters of one value that go into a text; a sender chooses much of what is put in.
    static let valueLimit = 200
    /// An address is put in whole: RFC 5321 §4.5.3.1.3 allows 256 octets. A refusal that names it must not be told from
    /// the server's own by where it is cut.
    static let addressLimit = 320

    let parts: [Part]

    func render(_ read: (Subject) -> PolicyValue?) -> String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .value(let subject): read(subject).map(Self.shown) ?? "(missing)"
            }
        }.joined()
    }

    /// Control characters become blanks, so that no value brings a line of its own into a reply or a header.
    private static func shown(_ value: PolicyValue) -> String {
        var out = String.UnicodeScalarView(), limit = valueLimit
        if case .address = value { limit = addressLimit }
        for scalar in value.description.unicodeScalars.prefix(limit) {
            out.append(scalar.value < 32 || (127...159).contains(scalar.value) || scalar == "\u{2028}" || scalar == "\u{2029}" ? " " : scalar)
        }
        return String(out)
    }
}
