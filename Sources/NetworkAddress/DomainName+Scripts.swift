/// What a name looks like to people, as far as UTS 39 can tell from the name alone.
extension DomainName {
    /// Whether a label may be meant to look like another: it mixes scripts as no language does (beyond 'Highly Restrictive' of
    /// UTS 39 §5.2: one script, or Latin with those of Japanese, Chinese or Korean), as `pаypal` with a Cyrillic а; or it is
    /// written as an A-label and stands for no name that IDNA allows (something invisible, a change of direction, plain ASCII).
    ///
    /// A label all in one other script, as `аррӏе` all in Cyrillic, is not found: that takes a list of what looks alike.
    public var isConfusable: Bool { labels.contains(where: Self.isConfusable) }

    private static func isConfusable(_ label: Substring) -> Bool {
        guard label.hasPrefix("xn--") else { return false }
        guard let shown = shown(label) else { return true }
        return !Self.mayStandTogether.contains { scripts in
            let among = scripts.map { "\\p{scx=\($0)}" }.joined()
            guard let all = try? Regex("[\(among)\\p{scx=Common}\\p{scx=Inherited}]*").matchingSemantics(.unicodeScalar) else { return false }
            return shown.wholeMatch(of: all) != nil
        }
    }

    /// UTS 39 §5.2's three mixtures, then the Recommended scripts of UAX 31 Table 5, each for itself.
    private static let mayStandTogether: [[String]] = [
        ["Latin"], ["Latin", "Han", "Hiragana", "Katakana"], ["Latin", "Han", "Bopomofo"], ["Latin", "Han", "Hangul"],
    ] + [
        "Cyrillic", "Greek", "Arabic", "Hebrew", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati", "Gurmukhi", "Kannada", "Khmer",
        "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thaana", "Thai", "Tibetan",
    ].map { [$0] }
}
