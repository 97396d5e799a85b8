import DNS
import NetworkAddress

/// A question as a name server gets it (RFC 1035 §4.1), recursion not desired, with EDNS (RFC 6891).
enum NameServerQuery {
    /// Octets that an answer may have over UDP: what passes every network unfragmented (RFC 9715 §3.1 says 1,400 at the most).
    static let payloadLimit: UInt16 = 1232

    static func encode(_ question: DNSQuestion, id: UInt16) -> [UInt8] {
        // Flags all zero: a standard query, RD clear since we ask for what the server itself holds. One question, one additional.
        var out = octets(id) + [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]
        out += WireName.encode(question.name) + octets(question.type.rawValue) + [0, 1]
        // RFC 6891 §6.1.2: root owner, type OPT (41), the payload size as class, flags zero, no options.
        return out + [0, 0, 41] + octets(payloadLimit) + [0, 0, 0, 0, 0, 0]
    }

    private static func octets(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)] }
}

/// A name server's answer, read as far as a record look-up needs it (RFC 1035 §4.1).
struct NameServerReply: Sendable, Hashable {
    struct Record: Sendable, Hashable {
        let name: DomainName
        let type: DNSRecordType
        /// Wire form; names in it uncompressed where the type may have compressed ones (RFC 3597 §4).
        let rdata: [UInt8]
        let target: DomainName?
    }

    let id: UInt16
    let isAuthoritative: Bool
    let isTruncated: Bool
    let code: UInt8
    let question: DNSQuestion
    let answers: [Record]

    /// Nil for what is no response to one question, or malformed before the end of the answer section.
    init?(parsing bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        guard let id = reader.number(), let flags = reader.number(), flags & 0x8000 != 0, reader.number() == 1,
            let count = reader.number(), reader.number() != nil, reader.number() != nil,
            let name = reader.name(), let type = reader.number(), reader.number() == 1 else { return nil }
        self.id = id
        isAuthoritative = flags & 0x0400 != 0
        isTruncated = flags & 0x0200 != 0
        code = UInt8(flags & 0xf)
        question = DNSQuestion(name, DNSRecordType(rawValue: type))
        var answers: [Record] = []
        // A truncated answer is asked for again over TCP: what it holds does not matter.
        for _ in 0..<(isTruncated ? 0 : Int(count)) {
            guard let record = reader.record() else { return nil }
            answers.append(record)
        }
        self.answers = answers
    }

    /// What it says to the question, after the CNAMEs in it (RFC 1034 §4.3.2).
    var verdict: NameServerAnswer {
        guard code == 0 || code == 3 else { return .failure(DNSResponseCode.name(Int(code))) }
        guard isAuthoritative else { return .failure("answers without authority for the zone") }
        var name = question.name
        for _ in 0..<8 {
            let found = answers.filter { $0.name == name && $0.type == question.type }.map(\.rdata)
            if !found.isEmpty { return .records(found) }
            guard let next = answers.first(where: { $0.name == name && $0.type == .cname })?.target else { break }
            name = next
        }
        if code == 3 { return .nameError }
        return name == question.name ? .noData : .alias(name)
    }
}

/// What one name server says of one question.
public enum NameServerAnswer: Sendable, Hashable {
    /// RDATA in wire form.
    case records([[UInt8]])
    /// The name is an alias of another, whose records this server does not have.
    case alias(DomainName)
    case noData
    case nameError
    /// It answers, and not usefully: SERVFAIL, REFUSED, no authority, garbage.
    case failure(String)
    /// It does not answer.
    case unreachable(String)
}

/// Reads a message front to back. Every read is bounded by the octets there are.
private struct Reader {
    let bytes: [UInt8]
    var place = 0

    mutating func number() -> UInt16? {
        guard place + 2 <= bytes.count else { return nil }
        defer { place += 2 }
        return UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1])
    }

    mutating func record() -> NameServerReply.Record? {
        guard let owner = name(), let type = number(), number() != nil, number() != nil, number() != nil,
            let length = number(), place + Int(length) <= bytes.count else { return nil }
        let start = place
        let kind = DNSRecordType(rawValue: type), end = start + Int(length)
        defer { place = end }
        guard let (before, count) = Self.names(in: kind) else { return .init(name: owner, type: kind, rdata: Array(bytes[start..<end]), target: nil) }
        // Octets, then names that may point elsewhere, then octets.
        guard before <= length else { return nil }
        place = start + before
        var rdata = Array(bytes[start..<place])
        var target: DomainName?
        for _ in 0..<count {
            guard let name = name(), place <= end else { return nil }
            target = name
            rdata += WireName.encode(name)
        }
        rdata += bytes[place..<end]
        return .init(name: owner, type: kind, rdata: rdata, target: kind == .cname ? target : nil)
    }

    /// The types of RFC 1035 whose names may be compressed, and SRV, which some compress all the same: octets before the
    /// names, and how many there are.
    private static func names(in type: DNSRecordType) -> (before: Int, count: Int)? {
        switch type {
        case .ns, .cname, .ptr: (0, 1)
        case .mx: (2, 1)
        case .soa: (0, 2)
        case .srv: (6, 1)
        default: nil
        }
    }

    /// A name, compressed or not (RFC 1035 §4.1.4). Pointers must lead back, each further than the one before: so it ends.
    mutating func name() -> DomainName? {
        var labels: [String] = []
        var at = place, limit = place, length = 0
        var jumped = false
        while at < bytes.count {
            let octet = Int(bytes[at])
            if octet & 0xc0 == 0xc0 {
                guard at + 1 < bytes.count else { return nil }
                if !jumped { place = at + 2 }
                jumped = true
                at = (octet & 0x3f) << 8 | Int(bytes[at + 1])
                guard at < limit else { return nil }
                limit = at
                continue
            }
            guard octet < 64 else { return nil }
            if octet == 0 {
                if !jumped { place = at + 1 }
                return DomainName(queryName: labels.joined(separator: "."))
            }
            length += octet + 1
            guard length <= 254, at + 1 + octet <= bytes.count else { return nil }
            let label = bytes[(at + 1)..<(at + 1 + octet)]
            guard !label.contains(46), let text = String(validating: label, as: UTF8.self) else { return nil }
            labels.append(text)
            at += octet + 1
        }
        return nil
    }
}
