/// A text with `{name}` in it.
struct TextTemplate: Sendable {
    enum Part: Sendable {
        case text(String)
        case value(Subject)
    }

    /// Characters of one value that go into a text; a sender chooses much of what is put in.
    static let valueLimit = 200

    let parts: [Part]

    func render(_ read: (Subject) -> PolicyValue?) -> String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .value(let subject): read(subject).map { Self.clean($0.description) } ?? "(missing)"
            }
        }.joined()
    }

    /// Control characters become blanks, so that no value brings a line of its own into a reply or a header.
    private static func clean(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(valueLimit) {
            out.append(scalar.value < 32 || (127...159).contains(scalar.value) || scalar == "\u{2028}" || scalar == "\u{2029}" ? " " : scalar)
        }
        return String(out)
    }
}
