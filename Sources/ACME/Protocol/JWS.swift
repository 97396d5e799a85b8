/// A request's body: flattened JSON serialisation of a signed object (RFC 8555 §6.2, RFC 7515 §7.2.2).
enum JWS {
    /// Who signs: a key that the authority does not know yet, or an account of it.
    enum Identity: Sendable, Hashable {
        case key
        case account(String)
    }

    /// - Parameter payload: JSON; nil for a POST-as-GET, whose payload is empty (§6.3).
    static func sign(_ payload: String?, url: String, nonce: String, as identity: Identity, with key: AccountKey) throws(ACMEKeyError) -> String {
        let who = switch identity {
        case .key: #""jwk":\#(key.jwk)"#
        case .account(let url): #""kid":\#(JSONText.quote(url))"#
        }
        let header = #"{"alg":"ES256",\#(who),"nonce":\#(JSONText.quote(nonce)),"url":\#(JSONText.quote(url))}"#
        let protected = Base64URL.encode(header.utf8), body = Base64URL.encode((payload ?? "").utf8)
        let signature = Base64URL.encode(try key.sign(Array("\(protected).\(body)".utf8)))
        return #"{"payload":"\#(body)","protected":"\#(protected)","signature":"\#(signature)"}"#
    }
}

/// JSON strings and lists, written.
enum JSONText {
    /// RFC 8259 §7.
    static func quote(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _ where scalar.value < 32:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    static func list(_ items: [String]) -> String { "[" + items.joined(separator: ",") + "]" }
}
