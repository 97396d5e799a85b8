/// `{n}` or `{n+}` at a line's end. Braces occur nowhere else before a line end: atoms exclude `{`, and a quoted
/// string ends with its quote.
struct LiteralMarker: Equatable {
    let size: Int
    let isSynchronising: Bool

    /// - Parameter line: with its line end.
    init?(endOf line: ArraySlice<UInt8>) {
        var rest = line
        if rest.last == 10 { rest = rest.dropLast() }
        if rest.last == 13 { rest = rest.dropLast() }
        guard rest.last == 125 else { return nil }
        rest = rest.dropLast()
        isSynchronising = rest.last != 43
        if rest.last == 43 { rest = rest.dropLast() }
        let digits = rest.suffix(20).reversed().prefix(while: ASCII.isDigit).reversed()
        guard !digits.isEmpty, rest.dropLast(digits.count).last == 123 else { return nil }
        // More than 32 bits is no number of the grammar; such a size exceeds every limit.
        size = UInt32(String(decoding: digits, as: UTF8.self)).map(Int.init) ?? Int(UInt32.max)
    }
}

/// Recognises that a literal just announced is the message of an APPEND.
enum AppendProbe {
    /// Looks at the command's first octets only: a command may hold thousands of literals, and each asks.
    static func isAppend(_ command: ArraySlice<UInt8>) -> Bool {
        var scanner = Scanner(Array(command.prefix(300)))
        return CommandParser.takeTag(&scanner) != nil && scanner.keyword("APPEND")
    }

    /// - Parameter bytes: the command up to and including the line that announces a literal.
    /// - Returns: nil when it is another command, or APPEND's mailbox name is the literal.
    static func probe(_ bytes: [UInt8]) -> Result<AppendHeader, CommandError>? {
        var scanner = Scanner(bytes)
        guard let tag = CommandParser.takeTag(&scanner), scanner.keyword("APPEND") else { return nil }
        if mailboxIsLiteral(scanner) { return nil }
        do {
            let header = try CommandParser.appendHeader(&scanner, tag: tag)
            guard scanner.position == bytes.count else { throw ScanError("unexpected text behind the message's size") }
            return .success(header)
        } catch let error as ScanError {
            return .failure(CommandError(tag: tag, text: error.text, code: error.code))
        } catch {
            return nil
        }
    }

    private static func mailboxIsLiteral(_ scanner: Scanner) -> Bool {
        var scanner = scanner
        guard scanner.take(32), scanner.peek == 123, let size = try? scanner.literalSize() else { return false }
        return scanner.position + size >= scanner.bytes.count
    }
}
