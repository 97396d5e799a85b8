import InternetMessage

/// An address as the queue file keeps it: `["local part", "domain"]`, the local part unquoted. The pair, unlike the
/// written address, survives for local parts that RFC 5321's grammar would not take back (over 254 octets from a rewriting).
@propertyWrapper
public struct StoredAddress: Codable, Sendable, Hashable {
    public var wrappedValue: EmailAddress

    public init(wrappedValue: EmailAddress) { self.wrappedValue = wrappedValue }

    public init(from decoder: any Decoder) throws {
        var pair = try decoder.unkeyedContainer()
        let local = try pair.decode(String.self)
        let domain = try pair.decode(String.self)
        guard let parsed = Self.domain(domain) else {
            throw DecodingError.dataCorruptedError(in: pair, debugDescription: "not a domain: \(domain)")
        }
        wrappedValue = EmailAddress(localPart: local, domain: parsed)
    }

    public func encode(to encoder: any Encoder) throws {
        var pair = encoder.unkeyedContainer()
        try pair.encode(wrappedValue.localPart)
        try pair.encode(wrappedValue.domainText)
    }

    /// Whether the address would come back from a queue file.
    static func canStore(_ address: EmailAddress) -> Bool { domain(address.domainText) == address.domain }

    private static func domain(_ text: String) -> EmailAddress.Domain? { EmailAddress("x@" + text)?.domain }
}

/// A ``StoredAddress`` or, for the null reverse-path, nothing.
@propertyWrapper
public struct StoredOptionalAddress: Codable, Sendable, Hashable {
    public var wrappedValue: EmailAddress?

    public init(wrappedValue: EmailAddress?) { self.wrappedValue = wrappedValue }

    public init(from decoder: any Decoder) throws {
        wrappedValue = try decoder.singleValueContainer().decode(StoredAddress?.self)?.wrappedValue
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue.map { StoredAddress(wrappedValue: $0) })
    }
}
