/// LIST and LSUB (RFC 3501 §6.3.8 f., RFC 5258 §6, RFC 5819, RFC 6154).
enum ListParser {
    static func list(_ scanner: inout Scanner) throws(ScanError) -> Command {
        try scanner.space()
        var extended = false
        var selection: [ListRequest.Selection] = []
        if scanner.peek == 40 {
            extended = true
            selection = try scanner.list(allowEmpty: true) { (scanner) throws(ScanError) in
                let word = ASCII.upper(try scanner.atom("a LIST selection option"))
                guard let option = ListRequest.Selection(rawValue: word) else { throw ScanError("unknown LIST option \(word.prefix(32))") }
                return option
            }
            // RFC 5258 §3.1: RECURSIVEMATCH needs another selection option to modify.
            if selection.contains(.recursiveMatch), !selection.contains(.subscribed) { throw ScanError("RECURSIVEMATCH needs SUBSCRIBED beside it") }
            try scanner.space()
        }
        let reference = try MailboxName.parse(&scanner).text
        try scanner.space()
        var patterns: [String]
        if scanner.peek == 40 {
            extended = true
            patterns = try scanner.list { (scanner) throws(ScanError) in try pattern(&scanner) }
        } else {
            patterns = [try pattern(&scanner)]
        }
        guard scanner.take(32) else {
            return .list(ListRequest(reference: reference, patterns: patterns, selection: selection, isExtended: extended))
        }
        guard scanner.keyword("RETURN") else { throw ScanError("expected RETURN") }
        try scanner.space()
        let returns = try scanner.list(allowEmpty: true) { (scanner) throws(ScanError) in try returnOption(&scanner) }
        return .list(ListRequest(reference: reference, patterns: patterns, selection: selection, returns: returns, isExtended: true))
    }

    static func lsub(_ scanner: inout Scanner) throws(ScanError) -> Command {
        try scanner.space()
        let reference = try MailboxName.parse(&scanner).text
        try scanner.space()
        return .lsub(reference: reference, pattern: try pattern(&scanner))
    }

    private static func returnOption(_ scanner: inout Scanner) throws(ScanError) -> ListRequest.Return {
        let word = ASCII.upper(try scanner.atom("a LIST return option"))
        switch word {
        case "SUBSCRIBED": return .subscribed
        case "CHILDREN": return .children
        case "SPECIAL-USE": return .specialUse
        case "STATUS":
            try scanner.space()
            return .status(try CommandParser.statusItems(&scanner))
        default: throw ScanError("unknown LIST return option \(word.prefix(32))")
        }
    }

    /// `list-mailbox = 1*list-char / string`; list-char adds the wildcards and `]` to ATOM-CHAR.
    private static func pattern(_ scanner: inout Scanner) throws(ScanError) -> String {
        let wire: [UInt8]
        if scanner.peek == 34 || scanner.peek == 123 {
            wire = try scanner.string()
        } else {
            wire = Array(scanner.run { Grammar.isAtom($0) || $0 == 37 || $0 == 42 || $0 == 93 || $0 >= 0x80 })
            guard !wire.isEmpty else { throw ScanError("expected a mailbox pattern") }
        }
        guard let text = try MailboxName.decode(wire, scanner) else { throw ScanError("the mailbox pattern is not valid") }
        return text
    }
}
