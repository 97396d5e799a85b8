import DNS
import NetworkAddress
import Synchronization

/// A resolver made of literals; names listed in `broken` fail for now, names not listed do not exist.
final class LiteralResolver: Resolver {
    private let records: [DNSQuestion: [[UInt8]]]
    private let broken: Set<String>
    private let asked = Mutex<[DNSQuestion]>([])

    /// - Parameter zone: `"example.net MX"` → `["10 mx.example.net"]`; types A, AAAA and MX.
    init(_ zone: [String: [String]], broken: Set<String> = []) {
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
        if let found = records[question] { return DNSResponse(.records(found)) }
        return DNSResponse(records.keys.contains { $0.name == question.name } ? .noData : .nameError)
    }

    private static func rdata(_ type: DNSRecordType, _ text: String) -> [UInt8] {
        guard type == .mx else { return IPAddress(text)?.octets ?? [] }
        let words = text.split(separator: " ")
        guard words.count == 2, let preference = UInt16(words[0]), let name = DomainName(words[1]) else { return [] }
        return [UInt8(preference >> 8), UInt8(preference & 255)] + WireName.encode(name)
    }
}
