extension ContentFields {
    /// Takes a header field, if it is one of the Content- fields. The first of a name counts.
    mutating func take(name: String, value: ArraySlice<UInt8>, seen: inout Set<String>) {
        let name = name.lowercased()
        guard name.hasPrefix("content-"), seen.insert(name).inserted else { return }
        switch name.dropFirst(8) {
        case "type": takeType(value)
        case "transfer-encoding":
            var scanner = FieldScanner(value)
            scanner.skipCFWS()
            if let token = scanner.token() { encodingName = token.lowercased() }
        case "disposition": takeDisposition(value)
        case "id": id = Self.trimmed(value)
        case "description": description = Self.trimmed(value)
        case "md5": md5 = Self.trimmed(value)
        case "location": location = Self.trimmed(value).filter { !FieldScanner.isBlank($0) }
        case "language": takeLanguages(value)
        default: break
        }
    }

    /// `type "/" subtype *(";" parameter)`. What cannot be read leaves the default (RFC 2045 §5.2).
    private mutating func takeType(_ value: ArraySlice<UInt8>) {
        var scanner = FieldScanner(value)
        scanner.skipCFWS()
        guard let type = scanner.token() else { return }
        scanner.skipCFWS()
        guard scanner.take(47) else { return }
        scanner.skipCFWS()
        guard let subtype = scanner.token() else { return }
        self.type = type.lowercased()
        self.subtype = subtype.lowercased()
        isTypeDefault = false
        parameters = MIMEParameters.parse(&scanner)
    }

    private mutating func takeDisposition(_ value: ArraySlice<UInt8>) {
        var scanner = FieldScanner(value)
        scanner.skipCFWS()
        guard let word = scanner.token() else { return }
        disposition = word.lowercased()
        dispositionParameters = MIMEParameters.parse(&scanner)
    }

    /// RFC 3282: tags with commas between them.
    private mutating func takeLanguages(_ value: ArraySlice<UInt8>) {
        var scanner = FieldScanner(value)
        while languages.count < 50 {
            scanner.skipCFWS()
            if scanner.take(44) { continue }
            guard let tag = scanner.token() else { return }
            languages.append(tag)
        }
    }

    /// Unfolded, without blanks at the ends.
    private static func trimmed(_ value: ArraySlice<UInt8>) -> [UInt8] {
        var out = value.filter { $0 != 13 && $0 != 10 }[...]
        while let first = out.first, first == 32 || first == 9 { out = out.dropFirst() }
        while let last = out.last, last == 32 || last == 9 { out = out.dropLast() }
        return Array(out)
    }
}
