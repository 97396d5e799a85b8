import InternetMessage

/// Writes a DKIM-Signature field, folded into lines of at most 78 octets where its tags can be broken (RFC 5322 §2.1.1).
struct SignatureField {
    private static let limit = 78
    /// The field without its b= value: what is hashed (RFC 6376 §3.7).
    private(set) var text = "DKIM-Signature: v=1;"
    private var column: Int

    init(_ key: SigningKey, names: [String], bodyHash: [UInt8], signedAt: Int, expiresAt: Int?) {
        column = text.utf8.count
        add("a=\(key.algorithm.rawValue);")
        add("c=relaxed/relaxed;")
        add("d=\(key.domain.text);")
        add("s=\(key.selector);")
        add("t=\(signedAt);")
        if let expiresAt { add("x=\(expiresAt);") }
        add("bh=\(Base64.encode(bodyHash));")
        for (index, name) in names.enumerated() {
            let last = index == names.count - 1
            let piece = (index == 0 ? "h=" : "") + name + (last ? ";" : ":")
            // Folding is allowed around the colons of h= (§3.5), so only a full line is broken there.
            index == 0 ? add(piece) : append(piece)
        }
        add("b=")
    }

    /// The whole field, with the signature in place.
    func signed(with signature: [UInt8]) -> String {
        var out = self
        var rest = Base64.encode(signature)[...]
        while !rest.isEmpty {
            if out.column >= Self.limit { out.fold() }
            let piece = rest.prefix(Self.limit - out.column)
            out.append(String(piece))
            rest = rest.dropFirst(piece.count)
        }
        return out.text
    }

    /// A tag, after a blank or a new line.
    private mutating func add(_ piece: String) {
        if column + 1 + piece.utf8.count > Self.limit { fold() } else {
            text += " "
            column += 1
        }
        text += piece
        column += piece.utf8.count
    }

    private mutating func append(_ piece: String) {
        if column + piece.utf8.count > Self.limit { fold() }
        text += piece
        column += piece.utf8.count
    }

    private mutating func fold() {
        text += "\r\n\t"
        // Counted as the one octet it is (RFC 5322 §2.1.1 counts characters, not columns).
        column = 1
    }
}
