/// The parameters of an AUTH request (Dovecot authentication protocol 1.2, "Authentication Request"): `name=value` or a
/// bare name, parted by TAB; what is unknown is ignored.
struct AuthParameters: Sendable, Hashable {
    /// `smtp`, `imap`…
    var service = ""
    /// The address the client connected from, and the one it reached, as text.
    var clientAddress: String?
    var localAddress: String?
    /// The client's connection to the server that asks is encrypted, or as safe.
    var isSecured = false
    /// The asking server can take the mechanism's last message together with OK.
    var takesFinalResponse = false
    /// Base64, perhaps empty; always the last parameter.
    var response: String?

    init(_ words: ArraySlice<String>) {
        for word in words {
            let cut = word.firstIndex(of: "=")
            let name = word[..<(cut ?? word.endIndex)], value = cut.map { String(word[word.index(after: $0)...]) }
            switch name {
            case "service": service = value ?? ""
            case "rip": clientAddress = value
            case "lip": localAddress = value
            case "secured": isSecured = true
            case "final-resp-ok": takesFinalResponse = true
            case "resp": response = value ?? ""
            default: break
            }
        }
    }
}

/// The protocol's escapes in parameters: octet 1, then `0` NUL, `1` itself, `t` TAB, `r` CR, `l` or `n` LF.
enum TabEscape {
    static func decode(_ text: Substring) -> String {
        guard text.utf8.contains(1) else { return String(text) }
        var out = "", rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar.value == 1, let escaped = rest.popFirst() else {
                if scalar.value != 1 { out.unicodeScalars.append(scalar) }
                continue
            }
            switch escaped {
            case "0": out.append("\0")
            case "1": out.append("\u{1}")
            case "t": out.append("\t")
            case "r": out.append("\r")
            case "l", "n": out.append("\n")
            default: out.unicodeScalars.append(escaped)
            }
        }
        return out
    }

    static func encode(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\0": out += "\u{1}0"
            case "\u{1}": out += "\u{1}1"
            case "\t": out += "\u{1}t"
            case "\r": out += "\u{1}r"
            case "\n": out += "\u{1}l"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
