/// Globs: `*` any text, `?` any character, the rest itself (a backslash before a mark takes its meaning away). The whole text must match; case is ignored.
enum Glob {
    static func isGlob(_ text: String) -> Bool { text.contains { $0 == "*" || $0 == "?" } }

    /// - Throws: ``PatternMistake`` when it is too long.
    static func program(_ text: String) throws -> PatternProgram {
        var nodes: [PatternNode] = []
        var scalars = text.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            switch scalar {
            case "*": nodes.append(.repetition(.one(.any), 0, nil))
            case "?": nodes.append(.one(.any))
            case "\\": nodes.append(.one(.scalar(foldedScalar(scalars.next() ?? "\\"))))
            default: nodes.append(.one(.scalar(foldedScalar(scalar))))
            }
        }
        return try PatternCompiler.program(.sequence(nodes), ignoreCase: true, isAnchored: true)
    }
}
