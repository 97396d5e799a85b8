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
        case "RFC822": return .rfc822
        case "RFC822.HEADER": return .rfc822Header
        case "RFC822.TEXT": return .rfc822Text
        case "RFC822.SIZE": return .size
        case "BODYSTRUCTURE": return .bodyStructure
        case "BODY": return scanner.peek == 91 ? try section(&scanner, peek: false) : .body
        case "BODY.PEEK": return try section(&scanner, peek: true)
        case "BINARY": return try binary(&scanner, peek: false)
        case "BINARY.PEEK": return try binary(&scanner, peek: true)
        case "BINARY.SIZE": return .binarySize(part: try partInBrackets(&scanner))
        default: throw ScanError("unknown FETCH item \(word.prefix(32))")
        }
    }

    private static func binary(_ scanner: inout Scanner, peek: Bool) throws(ScanError) -> FetchAttribute {
        .binary(part: try partInBrackets(&scanner), partial: try partial(&scanner), peek: peek)
    }

    private static func partInBrackets(_ scanner: inout Scanner) throws(ScanError) -> [Int] {
        try scanner.expect(91, "[")
        let part = try partNumbers(&scanner)
        try scanner.expect(93, "]")
        return part
    }

    private static func section(_ scanner: inout Scanner, peek: Bool) throws(ScanError) -> FetchAttribute {
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
        return .section(BodySection(part: part, specifier), partial: try partial(&scanner), peek: peek)
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

    /// `["<" number "." nz-number ">"]`
    private static func partial(_ scanner: inout Scanner) throws(ScanError) -> Partial? {
        guard scanner.take(60) else { return nil }
        let origin = Int(try scanner.number())
        try scanner.expect(46, ". in <origin.count>")
        let count = Int(try scanner.positiveNumber())
        try scanner.expect(62, ">")
        return Partial(origin: origin, count: count)
    }
}
