import DKIM
import DNS
import NameServers
import NetworkAddress

/// Looks a key's record up on every authoritative server of its zone or, when none can be reached, through the resolver.
public struct PublicationCheck: Sendable {
    private let resolver: any Resolver
    private let nameServers: (any NameServerAsking)?
    /// Aliases that are followed (RFC 6376 says nothing; resolvers stop about there).
    private static let aliasLimit = 8

    /// - Parameter nameServers: nil asks the resolver only.
    public init(resolver: any Resolver, nameServers: (any NameServerAsking)?) {
        self.resolver = resolver
        self.nameServers = nameServers
    }

    /// - Parameter record: the text that belongs there, as ``SigningKey/publicRecord``.
    public func run(_ record: String, at name: DomainName) async -> Publication {
        guard let wanted = try? DKIMKeyRecord(parsing: Array(record.utf8)) else {
            return Publication(zone: nil, [.init(source: "key store", verdict: .wrong, detail: "its own record text is not a key record")])
        }
        guard let nameServers else { return await throughResolver(wanted, name, nil) }
        return await survey(wanted, name, nameServers, depth: 0)
    }

    private func survey(_ wanted: DKIMKeyRecord, _ name: DomainName, _ asking: any NameServerAsking, depth: Int) async -> Publication {
        guard depth < Self.aliasLimit else {
            return Publication(zone: nil, [.init(source: name.text, verdict: .wrong, detail: "aliases lead in a circle or are more than \(Self.aliasLimit)")])
        }
        switch await ZoneServers.find(for: name, resolver) {
        case .unknown(let why): return await throughResolver(wanted, name, why)
        case .found(let zone):
            let answers = await answers(of: zone.servers, DNSQuestion(name, .txt), asking)
            guard answers.contains(where: { !$0.isSilent }) else {
                return await throughResolver(wanted, name, "no name server of \(zone.zone) can be reached from here")
            }
            var findings = answers.map { $0.finding(wanted, at: name) }
            for target in Set(answers.flatMap(\.aliases)).sorted() {
                findings += await survey(wanted, target, asking, depth: depth + 1).findings
            }
            return Publication(zone: zone.zone, findings)
        }
    }

    private func answers(of servers: [ZoneServers.Server], _ question: DNSQuestion, _ asking: any NameServerAsking) async -> [ServerAnswers] {
        await withTaskGroup(of: ServerAnswers.self) { group in
            for server in servers {
                group.addTask {
                    var answers: [NameServerAnswer] = []
                    for address in server.addresses { answers.append(await asking.ask(question, of: address)) }
                    return ServerAnswers(server: server.name, answers: answers)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.server < $1.server }
        }
    }

    private func throughResolver(_ wanted: DKIMKeyRecord, _ name: DomainName, _ why: String?) async -> Publication {
        let note = why.map { "\($0); asked the resolver instead" } ?? ""
        let finding: Publication.Finding = switch await resolver.lookup(TXTRecord.self, at: name).outcome {
        case .records(let records):
            if let wrong = KeyRecordMatch.problem(records.map(\.joined), wanted) {
                .init(source: "resolver", verdict: .wrong, detail: wrong)
            } else {
                .init(source: "resolver", verdict: .published, detail: note)
            }
        case .noData, .nameError: .init(source: "resolver", verdict: .missing, detail: "no TXT record at \(name)")
        case .temporaryFailure(let reason): .init(source: "resolver", verdict: .unknown, detail: reason)
        }
        return Publication(zone: nil, [finding])
    }
}

/// What the addresses of one server said.
struct ServerAnswers: Sendable {
    let server: DomainName
    let answers: [NameServerAnswer]

    var isSilent: Bool { answers.allSatisfy { if case .unreachable = $0 { true } else { false } } }
    var aliases: [DomainName] { answers.compactMap { if case .alias(let target) = $0 { target } else { nil } } }

    /// The worst word of those that answered: a server behind two addresses may be two servers. An address without an
    /// answer does not count beside one that has (this machine may lack IPv6).
    func finding(_ wanted: DKIMKeyRecord, at name: DomainName) -> Publication.Finding {
        let heard = answers.filter { if case .unreachable = $0 { false } else { true } }
        guard !heard.isEmpty else { return .init(source: server.text, verdict: .unknown, detail: silence) }
        let words = heard.map { word($0, wanted, name) }
        let worst = Publication.worst(words.map(\.0))
        return .init(source: server.text, verdict: worst, detail: words.first { $0.0 == worst }?.1 ?? "")
    }

    private var silence: String {
        guard case .unreachable(let why)? = answers.first else { return "it has no address" }
        return why
    }

    private func word(_ answer: NameServerAnswer, _ wanted: DKIMKeyRecord, _ name: DomainName) -> (Publication.Verdict, String) {
        switch answer {
        case .records(let rdata):
            let texts = rdata.compactMap { TXTRecord(rdata: $0)?.joined }
            guard texts.count == rdata.count else { return (.wrong, "its TXT record is malformed") }
            return KeyRecordMatch.problem(texts, wanted).map { (.wrong, $0) } ?? (.published, "")
        case .alias(let target): return (.published, "is an alias of \(target)")
        case .noData, .nameError: return (.missing, "no TXT record at \(name)")
        case .failure(let why), .unreachable(let why): return (.unknown, why)
        }
    }
}
