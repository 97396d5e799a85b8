import NetworkAddress

/// What asks the DNS. Injected everywhere; nothing makes its own.
public protocol Resolver: Sendable {
    /// Asks one question and follows CNAMEs. Always answers, within the resolver's own deadline.
    func resolve(_ question: DNSQuestion) async -> DNSResponse
}

/// A name and a record type, class IN.
public struct DNSQuestion: Sendable, Hashable, CustomStringConvertible {
    public let name: DomainName
    public let type: DNSRecordType

    public init(_ name: DomainName, _ type: DNSRecordType) {
        self.name = name
        self.type = type
    }

    public var description: String { "\(name) \(type)" }
}

/// A resource record type (RFC 1035 §3.2.2 and later).
public struct DNSRecordType: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let a = DNSRecordType(rawValue: 1)
    public static let ns = DNSRecordType(rawValue: 2)
    public static let cname = DNSRecordType(rawValue: 5)
    public static let soa = DNSRecordType(rawValue: 6)
    public static let ptr = DNSRecordType(rawValue: 12)
    public static let mx = DNSRecordType(rawValue: 15)
    public static let txt = DNSRecordType(rawValue: 16)
    public static let aaaa = DNSRecordType(rawValue: 28)
    public static let srv = DNSRecordType(rawValue: 33)
    public static let tlsa = DNSRecordType(rawValue: 52)
    public static let spf = DNSRecordType(rawValue: 99)

    static let names: [UInt16: String] = [
        1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 52: "TLSA", 99: "SPF",
    ]
    public var description: String { Self.names[rawValue] ?? "TYPE\(rawValue)" }

    /// Parses a mnemonic or RFC 3597's `TYPEnnn`.
    public init?(_ text: some StringProtocol) {
        let text = text.uppercased()
        if let known = Self.names.first(where: { $0.value == text })?.key { self.init(rawValue: known); return }
        guard text.hasPrefix("TYPE"), let number = UInt16(text.dropFirst(4)) else { return nil }
        self.init(rawValue: number)
    }
}

/// A resolver's word on one question, records still as RDATA octets.
public struct DNSResponse: Sendable {
    public enum Outcome: Sendable, Hashable {
        /// At least one record of the type; RDATA in wire form with uncompressed names.
        case records([[UInt8]])
        /// The name exists, the type does not (NODATA).
        case noData
        /// NXDOMAIN.
        case nameError
        /// No answer that may be believed: a time-out, SERVFAIL, a DNSSEC failure, a malformed answer. Why, in words.
        case temporaryFailure(String)
    }

    public let outcome: Outcome
    /// Whether DNSSEC validation proved the answer (or its absence).
    public let isSecure: Bool
    /// The name that the CNAME chain ended at; the question's own name when there was none.
    public let canonicalName: DomainName?
    /// Seconds the answer may be kept; 0 when unknown.
    public let timeToLive: UInt32

    public init(_ outcome: Outcome, isSecure: Bool = false, canonicalName: DomainName? = nil, timeToLive: UInt32 = 0) {
        self.outcome = outcome
        self.isSecure = isSecure
        self.canonicalName = canonicalName
        self.timeToLive = timeToLive
    }
}

/// A typed answer: the same four outcomes, with the records decoded.
public struct DNSAnswer<Record: Sendable>: Sendable {
    public enum Outcome: Sendable {
        case records([Record])
        case noData
        case nameError
        case temporaryFailure(String)
    }
    public let outcome: Outcome
    public let isSecure: Bool
    public let canonicalName: DomainName?
    public let timeToLive: UInt32

    /// The records, or none for every other outcome.
    public var records: [Record] { if case .records(let all) = outcome { all } else { [] } }

    /// Why there is no answer to believe, or nil.
    public var failure: String? { if case .temporaryFailure(let why) = outcome { why } else { nil } }

    public var isNameError: Bool { if case .nameError = outcome { true } else { false } }
}

/// RDATA of one record type.
public protocol DNSRecordData: Sendable {
    static var type: DNSRecordType { get }
    /// Decodes RDATA in wire form; nil when it is malformed.
    init?(rdata: [UInt8])
}

extension Resolver {
    /// Asks for records of a type and decodes them. One malformed record makes the whole answer a temporary failure:
    /// a resolver that hands out garbage is not to be believed in part.
    public func lookup<Record: DNSRecordData>(_ record: Record.Type, at name: DomainName) async -> DNSAnswer<Record> {
        let response = await resolve(DNSQuestion(name, Record.type))
        let outcome: DNSAnswer<Record>.Outcome
        switch response.outcome {
        case .records(let raw):
            let decoded = raw.compactMap { Record(rdata: $0) }
            outcome = decoded.count == raw.count ? .records(decoded) : .temporaryFailure("malformed \(Record.type) record at \(name)")
        case .noData: outcome = .noData
        case .nameError: outcome = .nameError
        case .temporaryFailure(let why): outcome = .temporaryFailure(why)
        }
        return DNSAnswer(outcome: outcome, isSecure: response.isSecure, canonicalName: response.canonicalName ?? name,
                         timeToLive: response.timeToLive)
    }
}
