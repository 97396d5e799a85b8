/// RFC 3461 §4's xtext: `+` and two upper-case hexadecimal digits for what cannot stand in an ESMTP value.
enum Xtext {
    /// - Returns: nil when it is not xtext.
    static func decode(_ text: some StringProtocol) -> String? {
        var out: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == 43 else {
                guard (33...126).contains(byte), byte != 61 else { return nil }
                out.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            rest = rest.dropFirst(2)
            out.append(value)
        }
        return String(validating: out, as: UTF8.self)
    }
}
