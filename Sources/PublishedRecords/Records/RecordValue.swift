import DNS
import NetworkAddress

/// The data of one record.
public enum RecordValue: Sendable, Hashable {
    case address(IPAddress)
    case exchange(preference: UInt16, DomainName)
    case text(String)
    case pointer(DomainName)
    /// RFC 6698 §2.1.
    case tlsa(usage: UInt8, selector: UInt8, matchingType: UInt8, data: [UInt8])
    /// RFC 2782. The root as target says that there is no such service.
    case service(priority: UInt16, weight: UInt16, port: UInt16, DomainName)

    public var type: DNSRecordType {
        switch self {
        case .address(let address): address.family == .v4 ? .a : .aaaa
        case .exchange: .mx
        case .text: .txt
        case .pointer: .ptr
        case .tlsa: .tlsa
        case .service: .srv
        }
    }

    /// The data as a zone file writes it (RFC 1035 §5.1), all on one line.
    public var zoneText: String {
        switch self {
        case .address(let address): address.description
        case .exchange(let preference, let host): "\(preference) \(host.presentation)"
        case .text(let text): TextStrings.split(text).map(TextStrings.quoted).joined(separator: " ")
        case .pointer(let name): name.presentation
        case .tlsa(let usage, let selector, let matchingType, let data): "\(usage) \(selector) \(matchingType) \(Self.hex(data))"
        case .service(let priority, let weight, let port, let target): "\(priority) \(weight) \(port) \(target.presentation)"
        }
    }

    static func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}

/// Character-strings of a TXT record.
public enum TextStrings {
    /// RFC 1035 §3.3: at most so many octets each.
    public static let longest = 255

    /// Pieces that whoever reads the record joins without separators (RFC 7208 §3.3, RFC 6376 §3.6.2.2).
    public static func split(_ text: String) -> [[UInt8]] {
        var rest = Array(text.utf8)[...]
        var out: [[UInt8]] = []
        repeat {
            out.append(Array(rest.prefix(longest)))
            rest = rest.dropFirst(longest)
        } while !rest.isEmpty
        return out
    }

    /// In quotes; a quote or backslash is escaped, what is not printable US-ASCII written `\DDD` (RFC 1035 §5.1).
    public static func quoted(_ bytes: [UInt8]) -> String {
        bytes.reduce(into: "\"") { text, byte in
            switch byte {
            case 34, 92: text += "\\" + String(Unicode.Scalar(byte))
            case 32...126: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\" + String(1000 + Int(byte)).dropFirst()
            }
        } + "\""
    }
}
