/// FETCH's data items (RFC 3501 §6.4.5, RFC 3516).
enum FetchParser {
    /// - Parameter uid: UID FETCH always answers with the UID (§6.4.8), so the item is added.
    static func attributes(_ scanner: inout Scanner, uid: Bool) throws(ScanError) -> [FetchAttribute] {
        var found: [FetchAttribute]
        if let macro = macro(&scanner) {
            found = macro
        } else if scanner.peek == 40 {
            found = try scanner.list { (scanner) throws(ScanError) in try attribute(&scanner) }
        } else {
            found = [try attribute(&scanner)]
        }
        if uid, !found.contains(.uid) { found.insert(.uid, at: 0) }
        var seen = Set<FetchAttribute>()
        return found.filter { seen.insert($0).inserted }
    }

    private static func macro(_ scanner: inout Scanner) -> [FetchAttribute]? {
        if scanner.keyword("ALL") { return FetchAttribute.all }
        if scanner.keyword("FAST") { return FetchAttribute.fast }
        return scanner.keyword("FULL") ? FetchAttribute.full : nil
    }

    private static func attribute(_ scanner: inout Scanner) throws(ScanError) -> FetchAttribute {
        let word = ASCII.upper(String(decoding: scanner.run { Grammar.isAtom($0) && $0 != 91 }, as: UTF8.self))
        switch word {
        case "ENVELOPE": return .envelope
        case "FLAGS": return .flags
        case "INTERNALDATE": return .internalDate
        case "UID": return .uid
        case "MODSEQ": return .modSequence
        case "PREVIEW": return .preview(lazy: try isLazy(&scanner))
        case "SAVEDATE": return .saveDate
        case "EMAILID": return .emailID
        case "THREADID": return .threadID
        case "RFC822": return .rfc822
        case "RFC822.HEADER": return .rfc822Header
        case "RFC822.TEXT": return .rfc822Text
        case "RFC822.SIZE": return .size
        case "BODYSTRUCTURE": return .bodyStructure
        case "BODY": return scanner.peek == 91 ? try section(&scanner, peek: false) : .body
        case "BODY.PEEK": return try section(&scanner, peek: true)
        case "BINARY": return try binary(&scanner, peek: false)
        case "BINARY.PEEK": return try binary(&scanner, peek: true)
        case "BINARY.SIZE": return try binarySize(&scanner)
        default: throw ScanError("unknown FETCH item \(word.prefix(32))")
        }
    }

    /// `PREVIEW [SP "(" "LAZY" ")"]` (RFC 8970 §3). A list may also be FETCH's modifiers, behind a single item.
    private static func isLazy(_ scanner: inout Scanner) throws(ScanError) -> Bool {
        var ahead = scanner
        guard ahead.take(32), ahead.take(40), ahead.keyword("LAZY") else { return false }
        try ahead.expect(41, ") behind LAZY")
        scanner = ahead
        return true
    }

    private static func binary(_ scanner: inout Scanner, peek: Bool) throws(ScanError) -> FetchAttribute {
        let section = try inBrackets(&scanner), partial = try partial(&scanner)
        return section.specifier == .whole ? .binary(part: section.part, partial: partial, peek: peek) : .binaryText(section, partial: partial, peek: peek)
    }

    private static func binarySize(_ scanner: inout Scanner) throws(ScanError) -> FetchAttribute {
        let section = try inBrackets(&scanner)
        return section.specifier == .whole ? .binarySize(part: section.part) : .binaryTextSize(section)
    }

    static func section(_ scanner: inout Scanner, peek: Bool) throws(ScanError) -> FetchAttribute {
        .section(try inBrackets(&scanner), partial: try partial(&scanner), peek: peek)
    }

    private static func inBrackets(_ scanner: inout Scanner) throws(ScanError) -> BodySection {
        try scanner.expect(91, "[")
        let part = try partNumbers(&scanner)
        var specifier = BodySection.Specifier.whole
        if scanner.peek != 93 {
            if !part.isEmpty { try scanner.expect(46, ". between part number and section") }
            specifier = try Self.specifier(&scanner)
        }
        // section-text: MIME stands only behind a part number.
        if specifier == .mime, part.isEmpty { throw ScanError("MIME needs a part number before it") }
        try scanner.expect(93, "]")
        return BodySection(part: part, specifier)
    }

    /// `nz-number *("." nz-number)`, bounded; leaves a dot that a word follows.
    private static func partNumbers(_ scanner: inout Scanner) throws(ScanError) -> [Int] {
        var part: [Int] = []
        while let byte = scanner.peek, ASCII.isDigit(byte) {
            part.append(Int(try scanner.positiveNumber()))
            guard part.count <= 200 else { throw ScanError("the part number is too deep") }
            guard scanner.peek == 46, scanner.position + 1 < scanner.bytes.count, ASCII.isDigit(scanner.bytes[scanner.position + 1]) else { break }
            scanner.skip()
        }
        return part
    }

    private static func specifier(_ scanner: inout Scanner) throws(ScanError) -> BodySection.Specifier {
        let word = ASCII.upper(String(decoding: scanner.run { Grammar.isAtom($0) }, as: UTF8.self))
        switch word {
        case "HEADER": return .header
        case "TEXT": return .text
        case "MIME": return .mime
        case "HEADER.FIELDS": return .headerFields(try fieldNames(&scanner))
        case "HEADER.FIELDS.NOT": return .headerFieldsNot(try fieldNames(&scanner))
        default: throw ScanError("unknown section \(word.prefix(32))")
        }
    }

    private static func fieldNames(_ scanner: inout Scanner) throws(ScanError) -> [String] {
        try scanner.space()
        return try scanner.list { (scanner) throws(ScanError) in try scanner.text() }
    }

    /// `["<" number "." nz-number ">"]` (RFC 9051 §9). The count is not optional there; without it `<15>` means, as with
    /// Dovecot, from there to the end. The answer's form is `<15>` in any case.
    private static func partial(_ scanner: inout Scanner) throws(ScanError) -> Partial? {
        guard scanner.take(60) else { return nil }
        let origin = Int(try scanner.number64())
        if scanner.take(62) { return Partial(origin: origin) }
        try scanner.expect(46, ". in <origin.count>")
        let count = Int(try scanner.number64())
        guard count > 0 else { throw ScanError("expected a number above zero") }
        try scanner.expect(62, ">")
        return Partial(origin: origin, count: count)
    }
}
