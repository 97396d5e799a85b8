import Foundation
import NetworkAddress

/// The addresses of this machine's network interfaces.
public enum InterfaceAddresses {
    /// Those that the world can reach: not loopback, link-local, private (RFC 1918, RFC 4193) or shared (RFC 6598) ones, in
    /// the system's order, IPv4 first; IPv6 addresses that the system makes and drops for privacy are left out.
    public static func reachable() -> [IPAddress] {
        let all = all().filter { !isInternal($0) && !temporary().contains($0) }
        return all.filter { $0.family == .v4 } + all.filter { $0.family == .v6 }
    }

    static let internalNetworks = ["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3",
                                   "::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8"].compactMap { IPNetwork($0) }

    public static func isInternal(_ address: IPAddress) -> Bool { internalNetworks.contains { $0.contains(address) } }

    private static func all() -> [IPAddress] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var out: [IPAddress] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ifa_addr.flatMap({ octets($0) }).flatMap({ IPAddress(octets: $0) }), !out.contains(address) { out.append(address) }
            next = entry.pointee.ifa_next
        }
        return out
    }

    private static func octets(_ address: UnsafeMutablePointer<sockaddr>) -> [UInt8]? {
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { pointer in withUnsafeBytes(of: pointer.pointee.sin_addr) { Array($0) } }
        case AF_INET6:
            address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in withUnsafeBytes(of: pointer.pointee.sin6_addr) { Array($0) } }
        default: nil
        }
    }

    /// The kernel's list says which are temporary (RFC 8981): flag 0x01 of the fifth field.
    private static func temporary() -> Set<IPAddress> {
        let text = (try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8)) ?? ""
        return Set(text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count >= 5, let flags = UInt8(fields[4], radix: 16), flags & 0x01 != 0 else { return nil }
            let digits = Array(fields[0].utf8)
            guard digits.count == 32 else { return nil }
            return IPAddress(octets: stride(from: 0, to: 32, by: 2).compactMap { UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16) })
        })
    }
}
