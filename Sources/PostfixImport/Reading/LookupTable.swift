import PostfixDoctor

/// `hash:/etc/aliases`, as parameters name tables (DATABASE_README).
struct TableReference: Sendable, Hashable, CustomStringConvertible {
    /// `hash`, `regexp`, `mysql`; empty for a name alone, as `/etc/postfix/domains`.
    let type: String
    let name: String

    /// Tables whose source is a text that postmap(1) reads.
    static let readable: Set<String> = ["hash", "btree", "lmdb", "cdb", "dbm", "sdbm", "texthash"]

    var isReadable: Bool { Self.readable.contains(type) }
    var description: String { type.isEmpty ? name : "\(type):\(name)" }

    init(_ text: String) {
        // proxymap(8) only stands between: proxy:hash:/etc/aliases is the same table.
        let bare = text.hasPrefix("proxy:") ? String(text.dropFirst(6)) : text
        guard let colon = bare.firstIndex(of: ":"), !bare[..<colon].contains("/"), !bare.hasPrefix("[") else {
            (type, name) = ("", bare)
            return
        }
        (type, name) = (String(bare[..<colon]), String(bare[bare.index(after: colon)...]))
    }

    static func list(_ text: String) -> [TableReference] { Words.split(text).map(TableReference.init) }

    /// Why tables of this type do not come along.
    var whyNot: String {
        switch type {
        case "regexp", "pcre": "\(self): patterns are not carried; write what they do as rules (matches /…/) or as single addresses"
        case "cidr": "\(self): networks are not carried here; write them as rules (client.ip in table …)"
        case "mysql", "pgsql", "ldap", "sqlite", "memcache", "mongodb":
            "\(self): databases are not asked; write what it holds into a file: postmap -s \(self) > FILE (or the query by itself), and name that"
        case "": "\(self): no type of table is named"
        default: "\(self): tables of type \"\(type)\" are not known"
        }
    }
}

/// Lists as Postfix writes them: words with blanks or commas between, `{…}` kept together.
enum Words {
    static func split(_ text: String) -> [String] {
        var out: [String] = [], word = "", depth = 0
        for character in text {
            if character == "{" { depth += 1 }
            if character == "}" { depth = max(depth - 1, 0) }
            if depth == 0, character == "," || character.isWhitespace {
                if !word.isEmpty { out.append(word) }
                word = ""
            } else { word.append(character) }
        }
        return word.isEmpty ? out : out + [word]
    }
}

/// The source text of a table (postmap(1)): a key, white space, a value; lines that begin with white space continue.
struct TableText: Sendable {
    struct Entry: Sendable, Hashable {
        let key: String
        let value: String
        let line: Int
    }
    let entries: [Entry]

    init(_ text: String) {
        entries = LogicalLines.read(text).compactMap { line in
            let key = line.text.prefix { !$0.isWhitespace }
            return key.isEmpty ? nil : Entry(key: String(key), value: trimmed(line.text.dropFirst(key.count)), line: line.number)
        }
    }
}

/// Lines joined where the next one begins with white space; empty ones and comments left out.
enum LogicalLines {
    static func read(_ text: String) -> [(number: Int, text: String)] {
        var out: [(number: Int, text: String)] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = trimmed(line)
            if content.isEmpty || content.hasPrefix("#") { continue }
            if line.first?.isWhitespace == true, !out.isEmpty {
                out[out.count - 1].text += " " + content
            } else {
                out.append((index + 1, content))
            }
        }
        return out
    }
}

func trimmed(_ text: some StringProtocol) -> String {
    var text = Substring(text)
    while text.first?.isWhitespace == true { text = text.dropFirst() }
    while text.last?.isWhitespace == true { text = text.dropLast() }
    return String(text)
}
