import InternetMessage
import NetworkAddress

/// Names that are looked up, and the DNS lists they speak of.
extension RuleChecker {
    // MARK: dnsbl["spam"]

    func blocklist(_ literal: LiteralSyntax, about names: [NameSyntax], _ range: Range<Int>) throws -> Subject {
        guard case .string(let name) = literal.kind, let set = blocklists[name] else {
            let nearest = Spelling.nearest(to: source.text(literal.range), among: blocklists.keys.map { "\"\($0)\"" }.sorted())
            throw Mistake(literal.range, "no DNS lists of that name are declared",
                          fix: nearest.map { "did you mean \($0)?" } ?? "declare them: dnsbl \(source.text(literal.range)) { \"zen.spamhaus.org\" weight 3 }")
        }
        guard let subject = names.first else { return .blocklist(set, try askable(NameSyntax(kind: .fact(PolicyFact.clientIP.rawValue), range: range))) }
        return .blocklist(set, try askable(subject))
    }

    private func askable(_ name: NameSyntax) throws -> PolicyFact {
        guard case (.fact(let fact), let type) = try resolve(name), [.ip, .domain].contains(type) else {
            throw Mistake(name.range, "DNS lists list addresses and domains", fix: "write client.ip, client.name, sender.domain or from.domain")
        }
        return fact
    }

    // MARK: rate(client.ip, 1h)

    static let rateWindows = 1...31 * 86_400
    private static let rateNameLimit = 3

    func rate(_ names: [NameSyntax], _ window: LiteralSyntax) throws -> RateTerms {
        guard names.count <= Self.rateNameLimit else { throw Mistake(names[Self.rateNameLimit].range, "more than \(Self.rateNameLimit) names", fix: nil) }
        let seconds = try duration(window, as: "the window of a rate")
        guard Self.rateWindows.contains(seconds) else {
            throw Mistake(window.range, "a rate's window is from 1s to 31d", fix: nil)
        }
        return RateTerms(facts: try names.map(countable), window: seconds)
    }

    private func countable(_ name: NameSyntax) throws -> PolicyFact {
        guard case (.fact(let fact), let type) = try resolve(name), [.ip, .domain, .address, .text].contains(type) else {
            throw Mistake(name.range, "events are counted by an address, a domain or a text", fix: "write client.ip, sender.domain, account or recipient")
        }
        return fact
    }

    /// Seconds. `5m` is five minutes here and five mebibytes elsewhere, so the text decides.
    func duration(_ literal: LiteralSyntax, as what: String) throws -> Int {
        guard let seconds = PolicyDuration.seconds(source.text(literal.range).filter { $0 != " " }) else {
            let text = source.text(literal.range)
            var fix = "write 30s, 5m, 1h, 2d or 1w"
            if case .number = literal.kind, Int(text) != nil { fix = "write \(text)s, or \(text)m for minutes" }
            throw Mistake(literal.range, "\(what) is a length of time with its unit", fix: fix)
        }
        return seconds
    }

    // MARK: dnsbl "spam" { … }

    /// The declaration ready to be asked, or nil when something about it was wrong.
    mutating func check(_ syntax: BlocklistSyntax) -> BlocklistSet? {
        let before = bag.all.count
        guard case .string(let name) = syntax.name.kind, !name.isEmpty else {
            report(Mistake(syntax.name.range, "the lists have no name", fix: "write dnsbl \"spam\" { … }"))
            return nil
        }
        if syntax.lists.isEmpty { report(Mistake(syntax.name.range, "no list stands between the braces", fix: "write \"zen.spamhaus.org\" weight 3")) }
        if let extra = syntax.lists.dropFirst(BlocklistSet.listLimit).first {
            report(Mistake(extra.zone.range, "more than \(BlocklistSet.listLimit) lists: each connection asks them all"))
        }
        let lists = syntax.lists.compactMap { list in attempt { try $0.list(list) } }
        return bag.all.count == before ? BlocklistSet(name: name, lists: lists) : nil
    }

    private func list(_ syntax: BlocklistSyntax.List) throws -> BlocklistSet.List {
        guard case .string(let text) = syntax.zone.kind, let zone = DomainName(text), zone.labelCount > 1 else {
            throw Mistake(syntax.zone.range, "this is not the domain of a DNS list", fix: "write \"zen.spamhaus.org\"")
        }
        var weight = 1
        if let written = syntax.weight, case .number(let number) = written.kind {
            guard (-100...100).contains(number), number != 0 else { throw Mistake(written.range, "a weight is from -100 to 100, and not 0", fix: nil) }
            weight = number
        }
        return BlocklistSet.List(zone: zone, weight: weight, answers: try syntax.answers.map(answers))
    }

    private func answers(_ literal: LiteralSyntax) throws -> ClosedRange<UInt32> {
        let range: ClosedRange<UInt32>
        switch literal.kind {
        case .addresses(let addresses): range = addresses
        case .network(let network) where network.address.family == .v4:
            let hosts = network.prefixLength == 0 ? UInt32.max : (UInt32(1) << UInt32(32 - network.prefixLength)) &- 1
            range = network.address.v4Number...(network.address.v4Number | (network.prefixLength == 32 ? 0 : hosts))
        default: throw Mistake(literal.range, "DNS lists answer with IPv4 addresses", fix: "write 127.0.0.2")
        }
        // RFC 5782 §2.1.
        guard range.lowerBound >> 24 == 127, range.upperBound >> 24 == 127 else {
            throw Mistake(literal.range, "DNS lists answer in 127.0.0.0/8 only", fix: "write 127.0.0.2, or a range such as 127.0.0.2..127.0.0.11")
        }
        return range
    }
}
