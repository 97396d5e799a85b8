/// What is wrong at one place of a table.
public struct TableFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file; empty while only the text is known.
    public var file: String
    /// From 1; nil when the file as a whole is meant.
    public let line: Int?
    public let text: String

    init(file: String = "", line: Int? = nil, _ text: String) {
        self.file = file
        self.line = line
        self.text = text
    }

    /// `/etc/aliases:12: …`
    public var description: String { file + (line.map { ":\($0)" } ?? "") + ": " + text }

    func inFile(_ name: String) -> TableFault { file.isEmpty ? TableFault(file: name, line: line, text) : self }
}

/// Everything that is wrong with the tables, so that all can be mended at once.
public struct TableError: Error, Sendable, Hashable, CustomStringConvertible {
    public let faults: [TableFault]

    public init(faults: [TableFault]) { self.faults = faults }

    public var description: String { faults.map(\.description).joined(separator: "\n") }
}
