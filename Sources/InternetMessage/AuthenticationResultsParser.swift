extension AuthenticationResults {
    /// Most results and properties one field may carry; more is an attack on whoever reads them.
    private static let limit = 200

    /// Parses a field's value: comments, folding and quoted strings anywhere the grammar allows them (RFC 8601 §2.2).
    /// - Returns: nil unless the whole value fits. A version other than 1 is reported, not refused: the caller must
    ///   ignore such a field (§2.5), yet may have to delete it.
    public init?(parsing value: some Collection<UInt8>) {
        guard value.count <= 1 << 16 else { return nil }
        var scanner = FieldScanner(value)
        scanner.skipCFWS()
        guard let id = Self.value(&scanner) else { return nil }
        scanner.skipCFWS()
        var version = 1
        if let byte = scanner.peek, (48...57).contains(byte) {
            guard let number = Self.number(&scanner) else { return nil }
            version = number
            scanner.skipCFWS()
        }
        guard let results = Self.results(&scanner) else { return nil }
        self.init(authservID: id, version: version, results: results)
    }

    public init?(_ field: HeaderField) {
        guard field.isNamed(Self.fieldName) else { return nil }
        self.init(parsing: field.rawValue)
    }

    /// `no-result / 1*resinfo`, to the end.
    private static func results(_ scanner: inout FieldScanner) -> [Result]? {
        var results: [Result] = []
        while scanner.take(59) {
            scanner.skipCFWS()
            // A semicolon at the end is not in the grammar, yet often seen.
            if scanner.atEnd { break }
            guard let word = keyword(&scanner) else { return nil }
            scanner.skipCFWS()
            if word.lowercased() == "none", results.isEmpty, scanner.atEnd || scanner.peek == 59 {
                _ = scanner.take(59)
                scanner.skipCFWS()
                return scanner.atEnd ? [] : nil
            }
            guard results.count < limit, let result = result(word, &scanner) else { return nil }
            results.append(result)
        }
        return scanner.atEnd && !results.isEmpty ? results : nil
    }

    /// `methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]`, its method's name taken.
    private static func result(_ method: String, _ scanner: inout FieldScanner) -> Result? {
        var methodVersion = 1
        if scanner.take(47) {
            scanner.skipCFWS()
            guard let number = number(&scanner) else { return nil }
            methodVersion = number
            scanner.skipCFWS()
        }
        guard scanner.take(61) else { return nil }
        scanner.skipCFWS()
        guard let outcome = keyword(&scanner) else { return nil }
        var reason: String?
        var properties: [Property] = []
        scanner.skipCFWS()
        while !scanner.atEnd, scanner.peek != 59 {
            guard properties.count < limit, let word = keyword(&scanner) else { return nil }
            scanner.skipCFWS()
            if word.lowercased() == "reason", reason == nil, properties.isEmpty, scanner.take(61) {
                scanner.skipCFWS()
                guard let text = value(&scanner) else { return nil }
                reason = text
            } else {
                guard let property = property(word, &scanner) else { return nil }
                properties.append(property)
            }
            scanner.skipCFWS()
        }
        return Result(method, outcome, reason: reason, properties: properties, methodVersion: methodVersion)
    }

    /// `ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue`, its ptype taken.
    private static func property(_ ptype: String, _ scanner: inout FieldScanner) -> Property? {
        guard scanner.take(46) else { return nil }
        scanner.skipCFWS()
        guard let name = keyword(&scanner) else { return nil }
        scanner.skipCFWS()
        guard scanner.take(61) else { return nil }
        scanner.skipCFWS()
        guard let value = propertyValue(&scanner) else { return nil }
        return Property(ptype, name, value)
    }

    /// A value, or `[[local-part] "@"] domain-name`; real fields also hold base64 with `/` and `=` bare, and `<>`, so a
    /// bare word runs to the next blank, semicolon, comment or quote.
    private static func propertyValue(_ scanner: inout FieldScanner) -> String? {
        if scanner.peek == 34 {
            guard let local = scanner.quotedString() else { return nil }
            let text = String(decoding: local, as: UTF8.self)
            guard scanner.peek == 64 else { return text }
            let domain = bareWord(&scanner)
            return EmailAddress.quoted(text) + domain
        }
        let word = bareWord(&scanner)
        return word.isEmpty ? nil : word
    }

    private static func bareWord(_ scanner: inout FieldScanner) -> String {
        String(decoding: scanner.run { !FieldScanner.isBlank($0) && $0 != 59 && $0 != 40 && $0 != 41 && $0 != 34 && $0 > 32 && $0 != 127 }, as: UTF8.self)
    }

    private static func value(_ scanner: inout FieldScanner) -> String? { scanner.value().map { String(decoding: $0, as: UTF8.self) } }

    private static func keyword(_ scanner: inout FieldScanner) -> String? {
        let word = scanner.run { (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95 }
        return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
    }

    private static func number(_ scanner: inout FieldScanner) -> Int? {
        let digits = scanner.run { (48...57).contains($0) }
        return digits.count > 6 ? nil : Int(String(decoding: digits, as: UTF8.self))
    }
}
