import DNS
import NetworkAddress
import Synchronization

/// A resolver made of literals; names listed in `broken` fail for now, names not listed do not exist.
final class LiteralResolver: Resolver {
    private let records: [DNSQuestion: [[UInt8]]]
    private let broken: Set<String>
    /// Names whose answers DNSSEC proves; nil: none.
    private let isSecure: @Sendable (DomainName) -> Bool
    private let asked = Mutex<[DNSQuestion]>([])

    /// - Parameter zone: `"example.net MX"` → `["10 mx.example.net"]`; types A, AAAA, CNAME, MX, TLSA (hex data).
    init(_ zone: [String: [String]], broken: Set<String> = [], secure: @escaping @Sendable (DomainName) -> Bool = { _ in false }) {
        isSecure = secure
        var records: [DNSQuestion: [[UInt8]]] = [:]
        for (key, values) in zone {
            let words = key.split(separator: " ")
            guard words.count == 2, let name = DomainName(words[0]), let type = DNSRecordType(words[1]) else { continue }
            records[DNSQuestion(name, type)] = values.map { Self.rdata(type, $0) }
        }
        self.records = records
        self.broken = broken
    }

    var questions: [DNSQuestion] { asked.withLock { $0 } }

    func resolve(_ question: DNSQuestion) async -> DNSResponse {
        asked.withLock { $0.append(question) }
        if broken.contains(question.name.text) { return DNSResponse(.temporaryFailure("SERVFAIL")) }
        let proved = isSecure(question.name)
        if let found = records[question] { return DNSResponse(.records(found), isSecure: proved) }
        if let alias = records[DNSQuestion(question.name, .cname)]?.first, let target = WireName.decode(alias[...])?.name {
            let end = await resolve(DNSQuestion(target, question.type))
            return DNSResponse(end.outcome, isSecure: proved && end.isSecure, canonicalName: end.canonicalName ?? target)
        }
        return DNSResponse(records.keys.contains { $0.name == question.name } ? .noData : .nameError, isSecure: proved)
    }

    private static func rdata(_ type: DNSRecordType, _ text: String) -> [UInt8] {
        if type == .cname { return DomainName(text).map(WireName.encode) ?? [] }
        if type == .tlsa {
            let words = text.split(separator: " ")
            let hex = Array(words[3].utf8)
            return words[..<3].compactMap { UInt8($0) } + stride(from: 0, to: hex.count, by: 2).compactMap { UInt8(String(decoding: hex[$0..<$0 + 2], as: UTF8.self), radix: 16) }
        }
        guard type == .mx else { return IPAddress(text)?.octets ?? [] }
        let words = text.split(separator: " ")
        guard words.count == 2, let preference = UInt16(words[0]), let name = DomainName(words[1]) else { return [] }
        return [UInt8(preference >> 8), UInt8(preference & 255)] + WireName.encode(name)
    }
}
