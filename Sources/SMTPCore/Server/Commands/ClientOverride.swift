import NetworkAddress

/// What an XCLIENT command says of the client behind a proxy (Postfix's XCLIENT_README). An attribute that was not sent
/// leaves things as they are.
public struct ClientOverride: Sendable, Hashable {
    /// An attribute's value; nil stands for `[UNAVAILABLE]` and `[TEMPUNAVAIL]`.
    public struct Attribute<Value: Sendable & Hashable>: Sendable, Hashable {
        public let value: Value?
    }

    /// NAME: the client's verified name.
    public internal(set) var name: Attribute<String>?
    /// ADDR
    public internal(set) var address: Attribute<IPAddress>?
    public internal(set) var port: Attribute<UInt16>?
    /// PROTO: whether the client spoke ESMTP.
    public internal(set) var isExtended: Attribute<Bool>?
    /// HELO: what the client called itself. It stands though the proxy says EHLO with a name of its own afterwards.
    public internal(set) var helo: Attribute<String>?
    /// LOGIN: who logged in, as the proxy found; nil in it takes a log-in back.
    public internal(set) var login: Attribute<String>?
    public internal(set) var destinationAddress: Attribute<IPAddress>?
    public internal(set) var destinationPort: Attribute<UInt16>?

    public init() {}

    /// As the EHLO reply offers them.
    static let keywords = ["NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"]

    /// Parses `NAME=… ADDR=…`: values in xtext (RFC 3461 §4), the last of an attribute counts.
    static func parse(_ text: ArraySlice<UInt8>) throws(CommandError) -> ClientOverride {
        let words = text.split(whereSeparator: { $0 == 32 || $0 == 9 })
        guard !words.isEmpty else { throw .syntax("XCLIENT attribute=value...") }
        var out = ClientOverride()
        for word in words {
            guard let equals = word.firstIndex(of: 61) else { throw .syntax("XCLIENT attribute=value...") }
            try out.set(String(decoding: word[..<equals], as: UTF8.self).uppercased(), word[(equals + 1)...])
        }
        return out
    }

    private mutating func set(_ name: String, _ raw: ArraySlice<UInt8>) throws(CommandError) {
        guard let text = Xtext.decode(String(decoding: raw, as: UTF8.self)) else { throw .badParameter(name) }
        switch name {
        case "NAME": self.name = try Self.attribute(text, name) { Self.word($0) }
        case "ADDR": address = try Self.attribute(text, name) { Self.address($0) }
        case "PORT": port = try Self.attribute(text, name) { UInt16($0) }
        case "PROTO": isExtended = try Self.attribute(text, name) { ["SMTP": false, "ESMTP": true][$0.uppercased()] }
        case "HELO": helo = try Self.attribute(text, name) { Self.word($0) }
        case "LOGIN": login = try Self.attribute(text, name) { Self.word($0) }
        case "DESTADDR": destinationAddress = try Self.attribute(text, name) { Self.address($0) }
        case "DESTPORT": destinationPort = try Self.attribute(text, name) { UInt16($0) }
        default: throw .badParameter(name)
        }
    }

    private static func attribute<Value>(_ text: String, _ name: String, _ read: (String) -> Value?) throws(CommandError) -> Attribute<Value> {
        if ["[UNAVAILABLE]", "[TEMPUNAVAIL]"].contains(text.uppercased()) { return Attribute(value: nil) }
        guard let value = read(text) else { throw .badParameter(name) }
        return Attribute(value: value)
    }

    /// Printable and of bounded length: it goes into Received and logs.
    private static func word(_ text: String) -> String? {
        let isFit = !text.isEmpty && text.utf8.count <= 255 && text.unicodeScalars.allSatisfy { $0.value > 32 && $0.value != 127 }
        return isFit ? text : nil
    }

    /// `192.0.2.1`, or `IPV6:2001:db8::1`; the tag may be missing.
    private static func address(_ text: String) -> IPAddress? {
        let hasTag = text.utf8.count > 5 && text.prefix(5).uppercased() == "IPV6:"
        return IPAddress(hasTag ? String(text.dropFirst(5)) : text)?.unmapped
    }
}
