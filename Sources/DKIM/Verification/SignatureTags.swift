import InternetMessage
import NetworkAddress

/// A DKIM-Signature field's tags, checked as far as the field alone allows (RFC 6376 §3.5, §6.1.1).
///
/// libopendkim is more lenient (duplicate tags, unknown q=, rsa-sha1, any d=); what passes here is a strict subset.
struct SignatureTags: Sendable {
    enum Algorithm: String, Sendable {
        case rsaSHA256 = "rsa-sha256"
        case ed25519SHA256 = "ed25519-sha256"

        var keyType: DKIMKeyRecord.KeyType { self == .rsaSHA256 ? .rsa : .ed25519 }
    }

    let algorithm: Algorithm
    let domain: DomainName
    let selector: String
    /// The name that holds the key: `selector._domainkey.domain`.
    let keyName: DomainName
    /// Domain part of i=; d= when i= is absent.
    let identityDomain: DomainName
    /// h=, lower case.
    let signedFields: [String]
    let bodyLength: Int?
    let signedAt: Int?
    let expiresAt: Int?

    private static let required = ["v", "a", "b", "bh", "d", "h", "s"]
    private static let known = required + ["c", "i", "l", "q", "t", "x", "z"]

    init(_ tags: TagList, now: Int, drift: Int) throws(SignatureRefusal) {
        try Self.checkPresence(tags)
        algorithm = try Self.algorithm(tags)
        try Self.checkCanonicalization(tags)
        try Self.checkQuery(tags)
        try Self.checkHashes(tags)
        (domain, selector, keyName) = try Self.keyPlace(tags)
        identityDomain = try Self.identityDomain(tags, domain)
        signedFields = try Self.signedFields(tags)
        bodyLength = try Self.number(tags, "l")
        signedAt = try Self.number(tags, "t")
        expiresAt = try Self.number(tags, "x")
        try Self.checkTimes(signedAt, expiresAt, now, drift)
    }

    private static func checkPresence(_ tags: TagList) throws(SignatureRefusal) {
        for (name, _) in tags.tags where !known.contains(name) && known.contains(name.lowercased()) {
            // Tag names are case-sensitive (§3.2); libopendkim would take L= for l=, so such a field is not handed on.
            throw .neutral("tag \(name)= is not written in lower case (RFC 6376 §3.2)")
        }
        for name in required {
            guard let value = tags[name] else { throw .neutral("required tag \(name)= is missing (RFC 6376 §6.1.1)") }
            guard !value.isEmpty else { throw .neutral("required tag \(name)= is empty (RFC 6376 §3.5)") }
        }
        guard tags["v"] == "1" else { throw .neutral("v= is not 1 (RFC 6376 §3.5)") }
    }

    private static func algorithm(_ tags: TagList) throws(SignatureRefusal) -> Algorithm {
        let text = (tags.compact("a") ?? "").lowercased()
        if text == "rsa-sha1" { throw .policy("rsa-sha1 must not be accepted (RFC 8301 §3.1)") }
        guard let algorithm = Algorithm(rawValue: text) else { throw .neutral("unknown algorithm a=\(text.prefix(40)) (RFC 6376 §3.3)") }
        return algorithm
    }

    private static func checkCanonicalization(_ tags: TagList) throws(SignatureRefusal) {
        guard let text = tags.compact("c") else { return }
        let parts = text.lowercased().split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ $0 == "simple" || $0 == "relaxed" }) else {
            throw .neutral("unknown canonicalization c=\(text.prefix(40)) (RFC 6376 §3.5)")
        }
    }

    private static func checkQuery(_ tags: TagList) throws(SignatureRefusal) {
        guard let methods = tags.items("q") else { return }
        guard methods.contains(where: { $0.lowercased() == "dns/txt" }) else { throw .neutral("no known query method in q= (RFC 6376 §3.5)") }
    }

    private static func checkHashes(_ tags: TagList) throws(SignatureRefusal) {
        guard let body = tags.compact("bh").flatMap({ Base64.decodeStrictly($0.utf8) }), body.count == 32 else {
            throw .neutral("bh= is not the base64 of a SHA-256 hash (RFC 6376 §3.5)")
        }
        guard let signature = tags.compact("b").flatMap({ Base64.decodeStrictly($0.utf8) }), !signature.isEmpty else {
            throw .neutral("b= is not base64 (RFC 6376 §3.5)")
        }
    }

    private static func keyPlace(_ tags: TagList) throws(SignatureRefusal) -> (DomainName, String, DomainName) {
        let written = tags["d"] ?? ""
        guard isDomainText(written), let domain = DomainName(written), !domain.isRoot, domain.text == written.lowercased() else {
            throw .neutral("d= is not a domain name (RFC 6376 §3.5)")
        }
        let selector = tags["s"] ?? ""
        guard isDomainText(selector), let name = DomainName(selector), name.text == selector.lowercased(),
            let keyName = domain.prepending(selector + "._domainkey") else { throw .neutral("s= is not a selector (RFC 6376 §3.1)") }
        return (domain, selector, keyName)
    }

    /// Letters, digits, hyphens and dots (RFC 5321 §4.1.2), and the underscore that some publish.
    private static func isDomainText(_ text: String) -> Bool {
        text.utf8.allSatisfy { (97...122).contains($0 | 0x20) || (48...57).contains($0) || $0 == 45 || $0 == 46 || $0 == 95 }
    }

    private static func identityDomain(_ tags: TagList, _ domain: DomainName) throws(SignatureRefusal) -> DomainName {
        guard let text = tags["i"] else { return domain }
        guard let identity = QuotedPrintable.decode(text), let at = identity.lastIndex(of: "@"),
            let name = DomainName(identity[identity.index(after: at)...]), !name.isRoot else {
            throw .neutral("i= is not an identity (RFC 6376 §3.5)")
        }
        guard name.isSame(orBelow: domain) else {
            throw .permerror("i= domain \(name) is not \(domain) or below it (RFC 6376 §6.1.1)")
        }
        return name
    }

    private static func signedFields(_ tags: TagList) throws(SignatureRefusal) -> [String] {
        let names = (tags.items("h") ?? []).map { $0.lowercased() }
        guard names.allSatisfy({ !$0.isEmpty }) else { throw .neutral("h= has an empty name (RFC 6376 §3.5)") }
        guard names.contains("from") else { throw .permerror("From is not among the signed fields (RFC 6376 §6.1.1)") }
        return names
    }

    private static func number(_ tags: TagList, _ name: String) throws(SignatureRefusal) -> Int? {
        guard let text = tags[name] else { return nil }
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text) else {
            throw .neutral("\(name)= is not a number (RFC 6376 §3.5)")
        }
        return number
    }

    private static func checkTimes(_ signed: Int?, _ expires: Int?, _ now: Int, _ drift: Int) throws(SignatureRefusal) {
        if let signed, let expires, expires <= signed { throw .permerror("x= is not later than t= (RFC 6376 §3.5)") }
        // Compared by subtraction from `now`, which is small: x= may be as large as an Int.
        if let expires, now - drift >= expires { throw .policy("the signature has expired: x=\(expires) (RFC 6376 §3.5)") }
        if let signed, signed > now + drift { throw .policy("the signature is from the future: t=\(signed) (RFC 6376 §3.5)") }
    }
}

/// Why a signature is not worth its mathematics, with the verdict it earns.
struct SignatureRefusal: Error, Sendable, Hashable {
    let verdict: DKIMSignatureResult.Verdict
    let reason: String

    static func neutral(_ reason: String) -> SignatureRefusal { .init(verdict: .neutral, reason: reason) }
    static func policy(_ reason: String) -> SignatureRefusal { .init(verdict: .policy, reason: reason) }
    static func permerror(_ reason: String) -> SignatureRefusal { .init(verdict: .permerror, reason: reason) }
    static func temperror(_ reason: String) -> SignatureRefusal { .init(verdict: .temperror, reason: reason) }
}

/// DKIM-Quoted-Printable (RFC 6376 §2.11), which i= is written in.
enum QuotedPrintable {
    /// Nil for a broken escape, a control character or octets that are not UTF-8. White space is ignored.
    static func decode(_ text: String) -> String? {
        let input = text.utf8.filter { !TagList.isSpace($0) }
        var out: [UInt8] = []
        var i = input.startIndex
        while i < input.endIndex {
            if input[i] == UInt8(ascii: "=") {
                guard i + 2 < input.endIndex, let high = hex(input[i + 1]), let low = hex(input[i + 2]) else { return nil }
                let octet = high << 4 | low
                // An identity goes into header fields and logs: no line ends by the back door.
                guard octet >= 32, octet != 127 else { return nil }
                out.append(octet)
                i += 3
            } else {
                out.append(input[i])
                i += 1
            }
        }
        return String(validating: out, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        default: nil
        }
    }
}
