import NetworkAddress

/// The values that macros stand for (RFC 7208 §7.2).
struct MacroValues {
    /// The client, IPv4-mapped addresses unwrapped.
    let client: IPAddress
    let sender: SPFSender
    let helo: String
    let receiver: String
    /// Seconds since 1970.
    let time: Int

    func value(of letter: Character, domain: DomainName, validatedName: String) -> String {
        switch letter {
        case "s": sender.localPart + "@" + sender.domainText
        case "l": sender.localPart
        case "o": sender.domainText
        case "d": domain.text
        case "i": Self.dotted(client)
        case "p": validatedName
        case "v": client.family == .v4 ? "in-addr" : "ip6"
        case "h": helo
        case "c": client.description
        case "r": receiver.isEmpty ? "unknown" : receiver
        case "t": String(time)
        default: ""
        }
    }

    /// Dotted quad, or 32 nibbles with dots between. Upper case as the published test suite has them; no query minds.
    static func dotted(_ address: IPAddress) -> String {
        guard address.family == .v6 else { return address.description }
        return address.octets.flatMap { [$0 >> 4, $0 & 15] }.map { String($0, radix: 16, uppercase: true) }.joined(separator: ".")
    }
}

/// The sender as check_host() takes it (RFC 7208 §4.1): any text, valid address or not.
struct SPFSender: Sendable {
    let localPart: String
    let domainText: String
}

extension MacroString {
    /// - Parameter validatedName: what `%{p}` stands for.
    func expand(_ values: MacroValues, domain: DomainName, validatedName: String) -> String {
        var out = ""
        for part in parts {
            switch part {
            case .literal(let text): out += text
            case .expand(let macro):
                out += macro.transform(values.value(of: macro.letter, domain: domain, validatedName: validatedName))
            }
        }
        return out
    }
}

extension MacroString.Macro {
    /// Split, reverse, keep the right-hand parts, join with dots, escape (RFC 7208 §7.3, in that order).
    func transform(_ value: String) -> String {
        var text = value
        if keep != nil || isReversed || delimiters != ["."] {
            var parts = value.split(omittingEmptySubsequences: false) { delimiters.contains($0) }
            if isReversed { parts.reverse() }
            if let keep { parts = Array(parts.suffix(keep)) }
            text = parts.joined(separator: ".")
        }
        return isEscaped ? Self.urlEscaped(text) : text
    }

    /// Everything outside RFC 3986's unreserved set as %XX.
    private static func urlEscaped(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: out.unicodeScalars.append(Unicode.Scalar(byte))
            default: out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return out
    }
}
