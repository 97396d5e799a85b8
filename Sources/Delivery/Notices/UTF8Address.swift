/// An international address in US-ASCII: RFC 6533 §3's `utf-8-addr-xtext`, where `\x{FC}` is a character.
enum UTF8Address {
    static func encode(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            let isPlain = scalar.value > 32 && scalar.value < 127 && scalar != "+" && scalar != "=" && scalar != "\\"
            return isPlain ? String(scalar) : "\\x{" + String(scalar.value, radix: 16, uppercase: true) + "}"
        }.joined()
    }

    /// What is no such form stays as it is.
    static func decode(_ text: String) -> String {
        var out = ""
        var rest = text[...]
        while let character = rest.first {
            if rest.hasPrefix("\\x{"), let end = rest.firstIndex(of: "}"), let number = UInt32(rest[..<end].dropFirst(3), radix: 16), let scalar = Unicode.Scalar(number) {
                out.unicodeScalars.append(scalar)
                rest = rest[rest.index(after: end)...]
            } else {
                out.append(character)
                rest = rest.dropFirst()
            }
        }
        return out
    }
}
