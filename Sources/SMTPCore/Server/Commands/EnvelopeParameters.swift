/// The ESMTP parameters of MAIL and RCPT (RFC 5321 §4.1.2's esmtp-param), each with its own grammar.
enum EnvelopeParameters {
    typealias Check = @Sendable (_ value: [UInt8]?) -> Bool

    static let mail: [String: Check] = [
        "SIZE": { $0.map { (1...20).contains($0.count) && $0.allSatisfy(isDigit) } ?? false },  // RFC 1870 §4
        "BODY": { isOne(of: ["7BIT", "8BITMIME"], $0) },  // RFC 6152 §3
        "SMTPUTF8": { $0 == nil },  // RFC 6531 §3.4
        "RET": { isOne(of: ["FULL", "HDRS"], $0) },  // RFC 3461 §4.3
        "ENVID": { $0.map { $0.count <= 100 && Xtext.isValid($0[...]) } ?? false },  // RFC 3461 §4.4
        "REQUIRETLS": { $0 == nil },  // RFC 8689 §2
        "AUTH": { $0.map { $0.count <= 500 && ($0 == Array("<>".utf8) || Xtext.isValid($0[...])) } ?? false },  // RFC 4954 §5
    ]

    static let recipient: [String: Check] = [
        "NOTIFY": isNotify,
        "ORCPT": isOriginalRecipient,
    ]

    /// - Returns: keyword in upper case → value as given, empty where there is none.
    static func parse(_ text: ArraySlice<UInt8>, known: [String: Check]) throws(CommandError) -> [String: String] {
        guard !text.isEmpty else { return [:] }
        var out: [String: String] = [:]
        for word in text.split(whereSeparator: { $0 == 32 || $0 == 9 }) {
            let equals = word.firstIndex(of: 61)
            let keyword = String(decoding: word[..<(equals ?? word.endIndex)], as: UTF8.self).uppercased()
            let value = equals.map { Array(word[($0 + 1)...]) }
            guard let check = known[keyword] else { throw .unknownParameter(keyword) }
            guard out[keyword] == nil, value.map(isValue) ?? true, check(value) else { throw .badParameter(keyword) }
            out[keyword] = value.map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        return out
    }

    /// esmtp-value: printable US-ASCII but `=`; RFC 6531 §3.3 adds UTF-8.
    private static func isValue(_ value: [UInt8]) -> Bool {
        !value.isEmpty && value.allSatisfy { $0 > 32 && $0 != 127 && $0 != 61 } && String(validating: value, as: UTF8.self) != nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private static func isOne(of words: [String], _ value: [UInt8]?) -> Bool {
        guard let value else { return false }
        return words.contains(String(decoding: value, as: UTF8.self).uppercased())
    }

    /// RFC 3461 §4.1: `NEVER`, or a list of the others without repetition.
    private static let isNotify: Check = { value in
        guard let value else { return false }
        let words = value.split(separator: 44, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self).uppercased() }
        if words == ["NEVER"] { return true }
        return Set(words).count == words.count && words.allSatisfy { ["SUCCESS", "FAILURE", "DELAY"].contains($0) }
    }

    /// RFC 3461 §4.2: `addr-type ";" xtext`; RFC 6533 §3 lets the type `utf-8` bear UTF-8.
    private static let isOriginalRecipient: Check = { value in
        guard let value, value.count <= 500, let cut = value.firstIndex(of: 59), cut > 0, cut < value.count - 1 else { return false }
        let type = String(decoding: value[..<cut], as: UTF8.self).lowercased()
        guard type.utf8.allSatisfy({ isDigit($0) || (97...122).contains($0) || $0 == 45 }) else { return false }
        return Xtext.isValid(value[(cut + 1)...], allowingUTF8: type == "utf-8")
    }
}

/// RFC 3461 §4: printable US-ASCII, `+` and `=` and everything else as `+` and two upper-case hexadecimal digits.
public enum Xtext {
    static func isValid(_ text: ArraySlice<UInt8>, allowingUTF8: Bool = false) -> Bool {
        decoded(text, allowingUTF8: allowingUTF8) != nil
    }

    /// nil unless the whole text is xtext, and UTF-8 once decoded.
    /// - Parameter allowingUTF8: as RFC 6533 §3 has it for addresses of the type `utf-8`.
    public static func decode(_ text: some StringProtocol, allowingUTF8: Bool = false) -> String? {
        decoded(Array(text.utf8)[...], allowingUTF8: allowingUTF8).flatMap { String(validating: $0, as: UTF8.self) }
    }

    public static func encode(_ text: String) -> String {
        var out: [UInt8] = []
        for byte in text.utf8 {
            if byte > 32, byte < 127, byte != 43, byte != 61 {
                out.append(byte)
            } else {
                out += [43, hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static let hexDigits = Array("0123456789ABCDEF".utf8)

    private static func decoded(_ text: ArraySlice<UInt8>, allowingUTF8: Bool) -> [UInt8]? {
        var out: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte == 43 {
                guard let high = rest.popFirst().flatMap(hexDigits.firstIndex), let low = rest.popFirst().flatMap(hexDigits.firstIndex) else { return nil }
                out.append(UInt8(high << 4 | low))
            } else {
                guard byte > 32, byte != 127, byte != 61, byte < 0x80 || allowingUTF8 else { return nil }
                out.append(byte)
            }
        }
        return out
    }
}
