import Policy

/// A diagnostic as editors and CI read it.
public struct PolicyDiagnosticRow: Sendable, Encodable {
    public let file: String
    /// From 1; 0 means the whole file.
    public let line: Int
    /// From 1, in characters.
    public let column: Int
    /// How many characters are meant.
    public let length: Int
    /// `error` or `warning`.
    public let severity: String
    public let message: String
    public let fix: String?

    public init(_ diagnostic: PolicyDiagnostic) {
        file = diagnostic.file
        line = diagnostic.line
        column = diagnostic.column
        length = diagnostic.line == 0 ? 0 : diagnostic.width
        severity = diagnostic.severity.rawValue
        message = diagnostic.message
        fix = diagnostic.fix
    }
}
