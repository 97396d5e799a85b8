extension AuthenticationResults {
    /// The field, folded at 78 columns.
    public var field: HeaderField { HeaderField(name: Self.fieldName, value: headerValue) }

    /// The field's value (what stands behind `Authentication-Results: `), folded with CRLF and a tab so that no line
    /// exceeds 78 columns unless one token alone does (RFC 5322 §2.1.1).
    public var headerValue: String {
        var folder = Folder(column: Self.fieldName.utf8.count + 2)
        folder.add(Self.quoted(authservID, unless: Self.isTokenText) + (version == 1 ? "" : " \(version)"), glue: "")
        if results.isEmpty {
            folder.add(";", glue: "", breakable: false)
            folder.add("none")
        }
        for result in results {
            folder.add(";", glue: "", breakable: false)
            let method = Self.keyword(result.method) + (result.methodVersion == 1 ? "" : "/\(result.methodVersion)")
            folder.add(method + "=" + Self.keyword(result.result), startsLine: true)
            if let reason = result.reason { folder.add("reason=" + Self.quoted(reason, unless: Self.isTokenText)) }
            for property in result.properties { folder.add(Self.text(property)) }
        }
        return folder.text
    }

    /// `pvalue = [CFWS] ( ( value / [ [ local-part ] "@" ] domain-name ) [CFWS] )`: an address whose local part is a
    /// dot-atom and a name stand bare, everything else is quoted.
    private static func text(_ property: Property) -> String {
        keyword(property.ptype) + "." + keyword(property.property) + "=" + quoted(property.value) { isTokenText($0) || isAddressText($0) }
    }

    private static func quoted(_ text: String, unless isBare: (String) -> Bool) -> String {
        // A line end would break the field and a quoted-pair may not hold it either (RFC 5322 §3.2.4).
        let clean = text.utf8.contains(where: isControl) ? String(decoding: text.utf8.map { isControl($0) ? 32 : $0 }, as: UTF8.self) : text
        if isBare(clean) { return clean }
        return quotedString(clean)
    }

    /// By octets: a quote with a combining mark behind it is another Character, and unescaped it would end the string for
    /// every other reader, who would then see whatever results a sender put behind it.
    private static func quotedString(_ text: String) -> String {
        var out: [UInt8] = [34]
        out.reserveCapacity(text.utf8.count + 8)
        for byte in text.utf8 {
            if byte == 34 || byte == 92 { out.append(92) }
            out.append(byte)
        }
        out.append(34)
        return String(decoding: out, as: UTF8.self)
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte < 32 || byte == 127 }

    private static func isTokenText(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy(FieldScanner.isToken) }

    private static func isAddressText(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: 64, omittingEmptySubsequences: false)
        guard parts.count == 2, let first = parts[1].first, first != 46 else { return false }
        let isName = parts[1].allSatisfy { FieldScanner.isToken($0) && $0 != 34 && $0 != 39 || $0 >= 0x80 }
        return isName && (parts[0].isEmpty || PathParser.isDotAtom(parts[0]))
    }

    /// `Keyword` (RFC 5321 §4.1.2): letters, digits, hyphens. What does not fit is dropped, since nothing else may stand there.
    private static func keyword(_ text: String) -> String {
        func fits(_ byte: UInt8) -> Bool { (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte == 45 || byte == 95 }
        if !text.isEmpty, text.utf8.allSatisfy(fits) { return text }
        let kept = text.utf8.filter(fits)
        return kept.isEmpty ? "x" : String(decoding: kept, as: UTF8.self)
    }

    /// Joins words, breaking the line before a word that would pass the limit.
    private struct Folder {
        var text = ""
        var column: Int

        init(column: Int) {
            self.column = column
            text.reserveCapacity(512)
        }

        mutating func add(_ word: String, glue: String = " ", breakable: Bool = true, startsLine: Bool = false) {
            // One column stays free for the semicolon that may follow.
            if breakable, !text.isEmpty, startsLine || column + glue.utf8.count + word.utf8.count > 77 {
                text += "\r\n\t"
                text += word
                column = 8 + word.utf8.count
            } else {
                text += glue
                text += word
                column += glue.utf8.count + word.utf8.count
            }
        }
    }
}
