import InternetMessage
import NetworkAddress

/// Reads a right-hand side: items with commas between, each an address, a name, or in aliases(5) `:include:/file`. Items
/// stand in quotes where they hold special characters. Commands and files, which aliases(5) of Postfix has too, are
/// refused: nothing here runs a program or writes to a file of the operator's.
struct TargetList {
    enum Table { case aliases, virtual }

    private let scalars: [Unicode.Scalar]
    private let line: Int
    private let table: Table
    private var position = 0

    /// - Throws: ``TableFault``.
    static func parse(_ text: some StringProtocol, line: Int, table: Table) throws(TableFault) -> [AliasTarget] {
        var list = TargetList(scalars: Array(text.unicodeScalars), line: line, table: table)
        return try list.items()
    }

    private init(scalars: [Unicode.Scalar], line: Int, table: Table) {
        self.scalars = scalars
        self.line = line
        self.table = table
    }

    private mutating func items() throws(TableFault) -> [AliasTarget] {
        var out: [AliasTarget] = []
        while true {
            skipBlanks()
            guard let next = peek else { return out }
            if next == "," {
                position += 1
                continue
            }
            out.append(try item())
            skipBlanks()
            guard peek == nil || peek == "," else { throw fault("a comma is missing before \"\(rest)\"") }
        }
    }

    private mutating func item() throws(TableFault) -> AliasTarget {
        var text = "", isQuoted = false
        while let next = peek, next != ",", !LogicalLine.isBlank(next) {
            if next == "\"" {
                // A quoted local part keeps its quotes, as `"john doe"@example.org`; a quoted item loses them.
                let start = position
                let inner = try quoted()
                let endsItem = peek == nil || peek == "," || peek.map(LogicalLine.isBlank) == true
                if text.isEmpty && endsItem {
                    (text, isQuoted) = (inner, true)
                } else {
                    text += string(start..<position)
                }
            } else {
                text.unicodeScalars.append(next)
                position += 1
            }
        }
        if text.hasPrefix("<"), text.hasSuffix(">") { text = String(text.dropFirst().dropLast()) }
        return try target(text, isQuoted: isQuoted)
    }

    private mutating func quoted() throws(TableFault) -> String {
        var out = ""
        position += 1
        while let next = peek {
            position += 1
            if next == "\"" { return out }
            if next == "\\", let escaped = peek {
                // `"\name"` is the name without aliases; before quotes and backslashes it is a quoted pair.
                if escaped == "\"" || escaped == "\\" {
                    position += 1
                    out.unicodeScalars.append(escaped)
                    continue
                }
            }
            out.unicodeScalars.append(next)
        }
        throw fault("a quotation mark is not closed")
    }

    private func target(_ text: String, isQuoted: Bool) throws(TableFault) -> AliasTarget {
        if text.hasPrefix("|") { throw fault("\"\(text)\": mail is not given to commands; use an account, or let another server on this machine take it by SMTP or LMTP") }
        if text.hasPrefix("/") { throw fault("\"\(text)\": mail is not written to files; use an account, or a rule that discards") }
        if text.lowercased().hasPrefix(":include:") {
            guard table == .aliases else { throw fault("\"\(text)\": :include: is for alias_maps, not for virtual aliases") }
            let path = String(text.dropFirst(9))
            guard path.hasPrefix("/"), !path.utf8.contains(0) else { throw fault("\"\(text)\": :include: wants an absolute path") }
            return .include(path)
        }
        if text.hasPrefix(":") { throw fault("\"\(text)\" is no address; of the words with a colon only :include:/file is known") }
        if text.hasPrefix("\\") { return .final(try name(String(text.dropFirst()))) }
        if text.hasPrefix("@") {
            guard table == .virtual, let address = EmailAddress("x" + text) else { throw fault("\"\(text)\" is no address") }
            return .domain(address.domain)
        }
        if let address = EmailAddress(text) { return .address(address) }
        guard !text.contains("@") || isQuoted else { throw fault("\"\(text)\" is no address") }
        return .name(try name(text))
    }

    private func name(_ text: String) throws(TableFault) -> String {
        guard TableName.isFit(text) else { throw fault("\"\(text)\" is no address and no name") }
        return text.lowercased()
    }

    private func fault(_ text: String) -> TableFault { TableFault(line: line, text) }
    private var peek: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }
    private var rest: String { string(position..<min(position + 40, scalars.count)) }

    private func string(_ range: Range<Int>) -> String {
        var out = ""
        out.unicodeScalars.append(contentsOf: scalars[range])
        return out
    }

    private mutating func skipBlanks() {
        while let next = peek, LogicalLine.isBlank(next) { position += 1 }
    }
}

/// A name without a domain, on either side of a table.
enum TableName {
    /// Whether it could be a local part.
    static func isFit(_ text: String) -> Bool {
        guard let domain = DomainName("name.invalid"), !text.isEmpty else { return false }
        return EmailAddress(EmailAddress(localPart: text, domain: domain).description) != nil
    }
}
