import InternetMessage

/// The parameters of MAIL: which there are, and what each may say.
enum MailParameters {
    /// The reply to a fault, or nil.
    static func fault(_ parameters: [String: String], _ sender: EmailAddress?, _ rules: SMTPServerRules) -> SMTPReply? {
        for (keyword, value) in parameters {
            if let fault = fault(keyword, value, rules) { return fault }
        }
        if let sender, sender.needsSMTPUTF8, parameters["SMTPUTF8"] == nil {
            // RFC 6531 §3.5
            return SMTPReply(553, "5.6.7", "SMTPUTF8 is required for this address")
        }
        return nil
    }

    private static func fault(_ keyword: String, _ value: String, _ rules: SMTPServerRules) -> SMTPReply? {
        switch keyword {
        case "SIZE":
            guard (1...20).contains(value.utf8.count), value.utf8.allSatisfy({ (48...57).contains($0) }) else { return bad("SIZE=octets") }
            // RFC 1870 §6.1
            return Int(value).map { $0 > rules.messageSizeLimit } ?? true ? SMTPReply(552, "5.3.4", "Message size exceeds fixed limit of \(rules.messageSizeLimit) octets") : nil
        case "BODY": return ["7BIT", "8BITMIME"].contains(value.uppercased()) ? nil : bad("BODY=7BIT or BODY=8BITMIME")
        case "SMTPUTF8": return value.isEmpty ? nil : bad("SMTPUTF8 takes no value")
        case "RET": return ["FULL", "HDRS"].contains(value.uppercased()) ? nil : bad("RET=FULL or RET=HDRS")
        // RFC 3461 §4.4: at most 100 characters of xtext.
        case "ENVID": return value.utf8.count <= 100 && Xtext.decode(value) != nil ? nil : bad("ENVID=xtext")
        // RFC 4954 §5
        case "AUTH": return value == "<>" || Xtext.decode(value) != nil ? nil : bad("AUTH=<> or xtext")
        default: return SMTPReply(555, "5.5.4", "Unsupported option: \(keyword)")
        }
    }

    static func bad(_ usage: String) -> SMTPReply { SMTPReply(501, "5.5.4", "Syntax: \(usage)") }
}

/// The parameters of RCPT (RFC 3461 §4.1, §4.2).
enum RcptParameters {
    static func fault(_ parameters: [String: String]) -> SMTPReply? {
        for (keyword, value) in parameters {
            switch keyword {
            case "NOTIFY": if !isNotify(value.uppercased()) { return MailParameters.bad("NOTIFY=NEVER or a list of SUCCESS,FAILURE,DELAY") }
            case "ORCPT": if !isOriginalRecipient(value) { return MailParameters.bad("ORCPT=type;xtext") }
            default: return SMTPReply(555, "5.5.4", "Unsupported option: \(keyword)")
            }
        }
        return nil
    }

    private static func isNotify(_ value: String) -> Bool {
        if value == "NEVER" { return true }
        let words = value.split(separator: ",", omittingEmptySubsequences: false)
        return Set(words).count == words.count && words.allSatisfy { ["SUCCESS", "FAILURE", "DELAY"].contains($0) }
    }

    private static func isOriginalRecipient(_ value: String) -> Bool {
        let parts = value.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, value.utf8.count <= 500 else { return false }
        // RFC 6533 §3: utf-8 addresses come in their own encoding.
        return parts[0].lowercased() == "utf-8" || Xtext.decode(String(parts[1])) != nil
    }
}

/// xtext (RFC 3461 §4): `+` and two upper-case hexadecimal digits stand for an octet.
public enum Xtext {
    /// - Returns: nil for anything that is not xtext.
    public static func decode(_ text: some StringProtocol) -> String? {
        var out: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte >= 33, byte <= 126, byte != 61 else { return nil }
            guard byte == 43 else {
                out.append(byte)
                continue
            }
            guard rest.count >= 2, rest.prefix(2).allSatisfy({ (48...57).contains($0) || (65...70).contains($0) }),
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            rest = rest.dropFirst(2)
            out.append(value)
        }
        return String(validating: out, as: UTF8.self)
    }
}
