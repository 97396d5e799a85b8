#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// An IPv4 or IPv6 address, in network byte order. IPv4-mapped IPv6 addresses (`::ffff:192.0.2.1`) are kept as
/// given; ask for ``unmapped`` where a rule speaks of the client's real family (RFC 7208 §5).
public struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    public enum Family: Sendable, Hashable { case v4, v6 }

    /// 4 or 16 octets, most significant first.
    public let octets: [UInt8]

    public var family: Family { octets.count == 4 ? .v4 : .v6 }
    public var bitWidth: Int { octets.count * 8 }

    /// - Parameter octets: 4 or 16 of them; anything else gives nil.
    public init?(octets: [UInt8]) {
        guard octets.count == 4 || octets.count == 16 else { return nil }
        self.octets = octets
    }

    /// Parses dotted-quad or RFC 4291 text. No brackets, no `IPv6:` tag, no zone, no leading zeros in IPv4 octets.
    public init?(_ text: some StringProtocol) {
        // Most of what is tried is a name: that costs no copy.
        guard text.utf8.allSatisfy(Self.mayStand) else { return nil }
        let text = String(text)
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            octets = withUnsafeBytes(of: v4) { Array($0.prefix(4)) }
            return
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        octets = withUnsafeBytes(of: v6) { Array($0.prefix(16)) }
    }

    /// Hexadecimal digits, dots and colons.
    private static func mayStand(_ octet: UInt8) -> Bool {
        switch octet {
        case 46, 48...58, 65...70, 97...102: true
        default: false
        }
    }

    public static let v4Loopback = IPAddress(unchecked: [127, 0, 0, 1])
    public static let v6Loopback = IPAddress(unchecked: Array(repeating: 0, count: 15) + [1])
    public static let v4Any = IPAddress(unchecked: [0, 0, 0, 0])

    private init(unchecked octets: [UInt8]) { self.octets = octets }

    /// The IPv4 address inside an IPv4-mapped IPv6 address; every other address unchanged.
    public var unmapped: IPAddress {
        guard octets.count == 16, octets[0..<10].allSatisfy({ $0 == 0 }), octets[10] == 0xff, octets[11] == 0xff else { return self }
        return IPAddress(unchecked: Array(octets[12...]))
    }

    public var isLoopback: Bool {
        let a = unmapped
        return a.family == .v4 ? a.octets[0] == 127 : a == .v6Loopback
    }

    /// The text form: dotted quad, or RFC 5952's compressed lower-case IPv6.
    public var description: String {
        let family = octets.count == 4 ? AF_INET : AF_INET6
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            guard let text = buffer.baseAddress, inet_ntop(family, octets, text, socklen_t(buffer.count)) != nil else { return "" }
            return String(cString: text)
        }
    }

    /// The name to ask for a PTR record: `1.2.0.192.in-addr.arpa` or the nibble form under `ip6.arpa` (RFC 3596 §2.5).
    public var reverseName: String {
        switch family {
        case .v4: return octets.reversed().map(String.init).joined(separator: ".") + ".in-addr.arpa"
        case .v6:
            let nibbles = octets.flatMap { [$0 >> 4, $0 & 15] }
            return nibbles.reversed().map { String($0, radix: 16) }.joined(separator: ".") + ".ip6.arpa"
        }
    }
}

/// An address range in CIDR notation (RFC 4632): `192.0.2.0/24`, `2001:db8::/32`, or one address.
public struct IPNetwork: Sendable, Hashable, CustomStringConvertible {
    public let address: IPAddress
    public let prefixLength: Int

    /// - Parameter prefixLength: 0...32 or 0...128 as the address's family has it, else nil.
    public init?(_ address: IPAddress, prefixLength: Int) {
        guard (0...address.bitWidth).contains(prefixLength) else { return nil }
        self.address = address
        self.prefixLength = prefixLength
    }

    /// Parses `address` or `address/length`; IPv6 may stand in brackets as Postfix writes it (`[::1]/128`).
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard var host = parts.first.map({ String($0) }) else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard let address = IPAddress(host) else { return nil }
        guard parts.count == 2 else {
            self.init(address, prefixLength: address.bitWidth)
            return
        }
        let digits = parts[1]
        guard !digits.isEmpty, digits.count <= 3, digits.utf8.allSatisfy({ (48...57).contains($0) }), let length = Int(digits)
        else { return nil }
        self.init(address, prefixLength: length)
    }

    /// Whether the address lies in the range. Both sides are compared unmapped, so `::ffff:127.0.0.1` is in `127.0.0.0/8`.
    public func contains(_ other: IPAddress) -> Bool {
        let other = other.unmapped
        var base = address, length = prefixLength
        if address.family == .v6, address.unmapped.family == .v4, length >= 96 { base = address.unmapped; length -= 96 }
        guard base.family == other.family else { return false }
        let whole = length / 8
        guard base.octets[..<whole] == other.octets[..<whole] else { return false }
        let rest = length % 8
        guard rest > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xff00 >> rest)
        return base.octets[whole] & mask == other.octets[whole] & mask
    }

    public var description: String {
        prefixLength == address.bitWidth ? address.description : "\(address)/\(prefixLength)"
    }
}
