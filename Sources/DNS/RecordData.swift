import NetworkAddress

/// A record (RFC 1035 §3.4.1).
public struct ARecord: DNSRecordData, Hashable {
    public static let type = DNSRecordType.a
    public let address: IPAddress
    public init?(rdata: [UInt8]) {
        guard rdata.count == 4, let address = IPAddress(octets: rdata) else { return nil }
        self.address = address
    }
}

/// AAAA record (RFC 3596 §2.2).
public struct AAAARecord: DNSRecordData, Hashable {
    public static let type = DNSRecordType.aaaa
    public let address: IPAddress
    public init?(rdata: [UInt8]) {
        guard rdata.count == 16, let address = IPAddress(octets: rdata) else { return nil }
        self.address = address
    }
}

/// MX record (RFC 1035 §3.3.9). A root exchange with preference 0 is a null MX (RFC 7505).
public struct MXRecord: DNSRecordData, Hashable {
    public static let type = DNSRecordType.mx
    public let preference: UInt16
    public let exchange: DomainName
    public var isNull: Bool { exchange.isRoot }
    public init?(rdata: [UInt8]) {
        guard rdata.count >= 3, let name = WireName.decode(rdata[2...]) else { return nil }
        preference = UInt16(rdata[0]) << 8 | UInt16(rdata[1])
        exchange = name.name
    }
}

/// TXT record (RFC 1035 §3.3.14).
public struct TXTRecord: DNSRecordData, Hashable {
    public static let type = DNSRecordType.txt
    /// The character-strings in order, as octets.
    public let strings: [[UInt8]]
    /// All strings joined without separators, as SPF (RFC 7208 §3.3), DKIM (RFC 6376 §3.6.2.2) and DMARC join them.
    public var joined: [UInt8] { strings.count == 1 ? strings[0] : Array(strings.joined()) }
    public init?(rdata: [UInt8]) {
        var strings: [[UInt8]] = []
        var i = 0
        while i < rdata.count {
            let length = Int(rdata[i])
            guard i + 1 + length <= rdata.count else { return nil }
            strings.append(Array(rdata[(i + 1)..<(i + 1 + length)]))
            i += 1 + length
        }
        // No string at all breaks RFC 1035's <1*character-string> but holds nothing to misread: an empty text.
        self.strings = strings
    }
}

/// PTR record (RFC 1035 §3.3.12).
public struct PTRRecord: DNSRecordData, Hashable {
    public static let type = DNSRecordType.ptr
    public let name: DomainName
    public init?(rdata: [UInt8]) {
        guard let decoded = WireName.decode(rdata[...]) else { return nil }
        name = decoded.name
    }
}

/// NS record (RFC 1035 §3.3.11).
public struct NSRecord: DNSRecordData, Hashable {
    public static let type = DNSRecordType.ns
    public let name: DomainName
    public init?(rdata: [UInt8]) {
        guard let decoded = WireName.decode(rdata[...]) else { return nil }
        name = decoded.name
    }
}

/// SRV record (RFC 2782). A root target says that there is no such service.
public struct SRVRecord: DNSRecordData, Hashable {
    public static let type = DNSRecordType.srv
    public let priority: UInt16
    public let weight: UInt16
    public let port: UInt16
    public let target: DomainName
    public init?(rdata: [UInt8]) {
        guard rdata.count >= 7, let name = WireName.decode(rdata[6...]) else { return nil }
        let numbers = stride(from: 0, to: 6, by: 2).map { UInt16(rdata[$0]) << 8 | UInt16(rdata[$0 + 1]) }
        (priority, weight, port, target) = (numbers[0], numbers[1], numbers[2], name.name)
    }
}

/// TLSA record (RFC 6698 §2.1).
public struct TLSARecord: DNSRecordData, Hashable {
    public static let type = DNSRecordType.tlsa
    public let usage: UInt8
    public let selector: UInt8
    public let matchingType: UInt8
    public let data: [UInt8]
    public init?(rdata: [UInt8]) {
        guard rdata.count >= 4 else { return nil }
        (usage, selector, matchingType) = (rdata[0], rdata[1], rdata[2])
        data = Array(rdata[3...])
    }
}

/// Uncompressed names in wire form (RFC 1035 §3.1).
public enum WireName {
    /// - Returns: the name and the octets it took; nil for compression pointers, overruns or labels with dots in them.
    public static func decode(_ bytes: ArraySlice<UInt8>) -> (name: DomainName, consumed: Int)? {
        var labels: [String] = []
        var i = bytes.startIndex
        while i < bytes.endIndex {
            let length = Int(bytes[i])
            i += 1
            if length == 0 {
                guard let name = DomainName(queryName: labels.joined(separator: ".")) else { return nil }
                return (name, i - bytes.startIndex)
            }
            guard length <= 63, i + length <= bytes.endIndex else { return nil }
            let label = bytes[i..<(i + length)]
            guard !label.contains(46) else { return nil }
            guard let text = String(validating: label, as: UTF8.self) else { return nil }
            labels.append(text)
            i += length
        }
        return nil
    }

    public static func encode(_ name: DomainName) -> [UInt8] {
        name.labels.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }
}
