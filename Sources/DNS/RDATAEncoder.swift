import NetworkAddress

/// RDATA from presentation format, one type's fields at a time (RFC 1035 §3.3 and §5.1, RFC 3597 §5).
struct RDATAEncoder {
    let origin: DomainName
    let line: Int

    func encode(_ type: DNSRecordType, _ fields: [ZoneToken]) throws -> [UInt8] {
        if fields.first?.raw == [92, 35] { return try generic(Array(fields.dropFirst())) }
        switch type {
        case .a: return try address(fields, .v4)
        case .aaaa: return try address(fields, .v6)
        case .ns, .cname, .ptr:
            try expect(fields, 1, "a name")
            return WireName.encode(try name(fields[0]))
        case .mx:
            try expect(fields, 2, "preference and exchange")
            return Self.octets(try number(fields[0], as: UInt16.self)) + WireName.encode(try name(fields[1]))
        case .txt, .spf: return try strings(fields)
        case .srv:
            try expect(fields, 4, "priority, weight, port and target")
            let numbers = try fields[0..<3].flatMap { Self.octets(try number($0, as: UInt16.self)) }
            return numbers + WireName.encode(try name(fields[3]))
        case .tlsa:
            guard fields.count >= 4 else { throw wrong("TLSA wants usage, selector, matching type and hexadecimal data") }
            return try fields[0..<3].map { try number($0, as: UInt8.self) } + hexadecimal(fields[3...])
        case .soa: return try startOfAuthority(fields)
        default: throw wrong("type \(type) has to be written as RFC 3597 does: \\# length hex")
        }
    }

    /// A domain name, completed with the origin unless it ends in a dot. Escaped dots are refused: ``DomainName``
    /// keeps names as dotted text.
    func name(_ token: ZoneToken) throws -> DomainName {
        if token.raw == [64] { return origin }
        let dots = token.raw.count { $0 == 46 }, plainDots = token.bytes.count { $0 == 46 }
        guard dots == plainDots, !token.raw.contains(92) || !hasEscapedDot(token.raw),
            let text = String(validating: token.bytes, as: UTF8.self), let name = DomainName(queryName: text)
        else { throw wrong("'\(token.text)' is not a domain name") }
        if token.raw.last == 46 || origin.isRoot { return name }
        guard let full = DomainName(queryName: name.text + "." + origin.text) else {
            throw wrong("'\(token.text)' is too long under \(origin)")
        }
        return full
    }

    private func hasEscapedDot(_ raw: [UInt8]) -> Bool { zip(raw, raw.dropFirst()).contains { $0 == 92 && $1 == 46 } }

    private func address(_ fields: [ZoneToken], _ family: IPAddress.Family) throws -> [UInt8] {
        try expect(fields, 1, "an address")
        guard let address = IPAddress(fields[0].text), address.family == family else {
            throw wrong("'\(fields[0].text)' is not an \(family == .v4 ? "IPv4" : "IPv6") address")
        }
        return address.octets
    }

    /// Character-strings of at most 255 octets each (RFC 1035 §3.3). Longer ones are an error rather than split:
    /// where the pieces meet is the writer's to decide.
    private func strings(_ fields: [ZoneToken]) throws -> [UInt8] {
        guard !fields.isEmpty else { throw wrong("TXT wants at least one string") }
        return try fields.flatMap { field in
            guard field.bytes.count <= 255 else {
                throw wrong("a string has \(field.bytes.count) octets; split it into strings of at most 255")
            }
            return [UInt8(field.bytes.count)] + field.bytes
        }
    }

    private func startOfAuthority(_ fields: [ZoneToken]) throws -> [UInt8] {
        try expect(fields, 7, "mname, rname, serial, refresh, retry, expire and minimum")
        let names = try WireName.encode(name(fields[0])) + WireName.encode(name(fields[1]))
        let serial = Self.octets(try number(fields[2], as: UInt32.self))
        return try names + serial + fields[3...].flatMap { field in
            guard let seconds = ZoneReader.seconds(field.text) else { throw wrong("'\(field.text)' is not a time in seconds") }
            return Self.octets(seconds)
        }
    }

    /// RFC 3597 §5: `\# length hex...`.
    private func generic(_ fields: [ZoneToken]) throws -> [UInt8] {
        guard let first = fields.first else { throw wrong("\\# wants a length") }
        let length = Int(try number(first, as: UInt16.self))
        let data = length == 0 && fields.count == 1 ? [] : try hexadecimal(fields[1...])
        guard data.count == length else { throw wrong("\\# says \(length) octets, \(data.count) follow") }
        return data
    }

    private func hexadecimal(_ fields: ArraySlice<ZoneToken>) throws -> [UInt8] {
        let digits = fields.flatMap(\.bytes).map { Int(Self.hexValue($0) ?? 255) }
        guard digits.count % 2 == 0, !digits.contains(255) else { throw wrong("the hexadecimal data is malformed") }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }

    private func number<N: FixedWidthInteger>(_ token: ZoneToken, as: N.Type) throws -> N {
        guard token.bytes.allSatisfy({ (48...57).contains($0) }), let value = N(token.text) else {
            throw wrong("'\(token.text)' is not a number from 0 to \(N.max)")
        }
        return value
    }

    private static func octets<N: FixedWidthInteger>(_ value: N) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private func expect(_ fields: [ZoneToken], _ count: Int, _ what: String) throws {
        guard fields.count == count else { throw wrong("expected \(what), found \(fields.count) fields") }
    }

    private func wrong(_ reason: String) -> ZoneTextError { ZoneTextError(line: line, reason: reason) }
}
