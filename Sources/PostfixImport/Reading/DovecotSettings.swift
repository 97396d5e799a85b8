/// What `doveconf -n` prints: `name = value`, and sections in braces.
struct DovecotSettings: Sendable {
    struct Section: Sendable {
        /// `service imap-login`, `passdb`.
        let name: String
        var values: [(name: String, value: String)] = []
        var sections: [Section] = []

        func value(_ name: String) -> String? { values.last { $0.name == name }?.value }
    }
    let file: String
    private(set) var root = Section(name: "")

    init(_ source: NamedText) {
        file = source.file
        var open: [Section] = [Section(name: "")]
        for line in source.text.split(separator: "\n") {
            let content = trimmed(line)
            if content.isEmpty || content.hasPrefix("#") { continue }
            if content.hasSuffix("{") {
                open.append(Section(name: trimmed(content.dropLast())))
            } else if content == "}" {
                guard open.count > 1, let done = open.popLast() else { continue }
                open[open.count - 1].sections.append(done)
            } else if let equals = content.firstIndex(of: "=") {
                open[open.count - 1].values.append((trimmed(content[..<equals]), trimmed(content[content.index(after: equals)...])))
            }
        }
        while open.count > 1, let left = open.popLast() { open[open.count - 1].sections.append(left) }
        root = open[0]
    }

    func sections(_ name: String) -> [Section] { root.sections.filter { $0.name == name } }

    /// Where log-in services listen: `service imap-login { inet_listener imaps { port = 993 } }`.
    func port(_ listener: String, of service: String) -> Int? {
        sections("service \(service)").flatMap(\.sections).last { $0.name == "inet_listener \(listener)" }.flatMap { $0.value("port") }.flatMap(Int.init)
    }
}
