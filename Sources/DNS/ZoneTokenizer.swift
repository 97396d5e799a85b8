/// A word of a zone file, its escapes undone.
struct ZoneToken {
    /// The octets, escapes undone.
    var bytes: [UInt8] = []
    /// As written between blanks, escapes left, which names need to tell `\.` from a dot.
    var raw: [UInt8] = []
    var isQuoted = false
    var text: String { String(decoding: raw, as: UTF8.self) }
}

/// One logical line: parentheses joined, comments gone.
struct ZoneEntry {
    let line: Int
    let beginsWithBlank: Bool
    var tokens: [ZoneToken] = []
}

/// The lexical layer of master files (RFC 1035 §5.1).
struct ZoneTokenizer {
    private let input: [UInt8]
    private var position = 0
    private var line = 1
    private var depth = 0

    static func entries(of input: [UInt8]) throws -> [ZoneEntry] {
        var tokenizer = ZoneTokenizer(input: input)
        var entries: [ZoneEntry] = []
        while tokenizer.position < input.count { entries.append(try tokenizer.entry()) }
        return entries.filter { !$0.tokens.isEmpty }
    }

    private init(input: [UInt8]) { self.input = input }

    private mutating func entry() throws -> ZoneEntry {
        var entry = ZoneEntry(line: line, beginsWithBlank: input[position] == 32 || input[position] == 9)
        while position < input.count {
            let byte = input[position]
            switch byte {
            case 10:
                position += 1
                line += 1
                if depth == 0 { return entry }
            case 32, 9, 13: position += 1
            case 59: while position < input.count, input[position] != 10 { position += 1 }
            case 40:
                depth += 1
                position += 1
            case 41:
                guard depth > 0 else { throw ZoneTextError(line: line, reason: "')' without '('") }
                depth -= 1
                position += 1
            case 34: entry.tokens.append(try quoted())
            default: entry.tokens.append(try word())
            }
        }
        guard depth == 0 else { throw ZoneTextError(line: entry.line, reason: "'(' is never closed") }
        return entry
    }

    private mutating func word() throws -> ZoneToken {
        var token = ZoneToken()
        while position < input.count {
            let byte = input[position]
            if byte == 32 || byte == 9 || byte == 13 || byte == 10 || byte == 59 || byte == 40 || byte == 41 || byte == 34 { break }
            try take(into: &token)
        }
        return token
    }

    private mutating func quoted() throws -> ZoneToken {
        var token = ZoneToken(isQuoted: true)
        let start = line
        position += 1
        while position < input.count {
            let byte = input[position]
            if byte == 34 {
                position += 1
                return token
            }
            if byte == 10 { line += 1 }
            try take(into: &token)
        }
        throw ZoneTextError(line: start, reason: "the quoted string is never closed")
    }

    /// One octet, or an escape: `\DDD` in decimal, `\X` for X itself.
    private mutating func take(into token: inout ZoneToken) throws {
        let byte = input[position]
        position += 1
        token.raw.append(byte)
        guard byte == 92 else {
            token.bytes.append(byte)
            return
        }
        let digits = input[position...].prefix(3)
        if digits.count == 3, digits.allSatisfy({ (48...57).contains($0) }) {
            let value = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
            guard value < 256 else { throw ZoneTextError(line: line, reason: "escape \\\(value) is above 255") }
            token.bytes.append(UInt8(value))
            token.raw += digits
            position += 3
        } else if let next = digits.first, next != 10 {
            token.bytes.append(next)
            token.raw.append(next)
            position += 1
        } else {
            throw ZoneTextError(line: line, reason: "a backslash ends the line")
        }
    }
}
