import NetworkAddress
import Synchronization

/// Passes questions on and remembers the answers, for showing what a verdict rests on.
public final class TracingResolver: Resolver {
    public struct Lookup: Sendable {
        public let question: DNSQuestion
        public let response: DNSResponse
    }

    private let inner: any Resolver
    private let asked = Mutex<[Lookup]>([])

    public init(_ inner: any Resolver) { self.inner = inner }

    /// Each question once, in the order of the first answers.
    public var lookups: [Lookup] { asked.withLock { $0 } }

    public func resolve(_ question: DNSQuestion) async -> DNSResponse {
        let response = await inner.resolve(question)
        asked.withLock { asked in
            if !asked.contains(where: { $0.question == question }) { asked.append(Lookup(question: question, response: response)) }
        }
        return response
    }
}

extension DNSResponse.Outcome {
    /// The answer in words: records in presentation form with control octets as `?`, `no data`, `no such name`, or the failure.
    public func summary(of type: DNSRecordType) -> [String] {
        switch self {
        case .noData: ["no data"]
        case .nameError: ["no such name"]
        case .temporaryFailure(let why): ["failed: \(why)"]
        case .records(let all): all.map { Self.text($0, type) }
        }
    }

    private static func text(_ rdata: [UInt8], _ type: DNSRecordType) -> String {
        switch type {
        case .a, .aaaa: IPAddress(octets: rdata)?.description ?? "malformed"
        case .mx: MXRecord(rdata: rdata).map { "\($0.preference) \($0.exchange)" } ?? "malformed"
        case .ptr, .ns, .cname: PTRRecord(rdata: rdata)?.name.description ?? "malformed"
        case .txt: TXTRecord(rdata: rdata).map { "\"" + printable($0.joined) + "\"" } ?? "malformed"
        default: "\\# \(rdata.count)"
        }
    }

    private static func printable(_ octets: [UInt8]) -> String {
        String(decoding: octets.map { (32...126).contains($0) ? $0 : 63 }, as: UTF8.self)
    }
}
