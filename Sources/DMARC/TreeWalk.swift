import DNS
import NetworkAddress

/// One question of a DNS Tree Walk and what it brought.
public struct DMARCWalkStep: Sendable, Hashable, CustomStringConvertible {
    public enum Finding: Sendable, Hashable {
        case record(DMARCRecord)
        case nothing
        /// More than one DMARC Policy Record: all are discarded (RFC 9989 §4.10 step 2).
        case several(Int)
        case failure(String)
    }

    /// The domain, without `_dmarc`.
    public let domain: DomainName
    public let finding: Finding

    var record: DMARCRecord? { if case .record(let record) = finding { record } else { nil } }
    var failure: String? { if case .failure(let why) = finding { why } else { nil } }

    public var description: String {
        let name = "_dmarc.\(domain)"
        switch finding {
        case .record(let record): return "\(name): \(record.text)"
        case .nothing: return "\(name): no record"
        case .several(let count): return "\(name): \(count) records, which counts as none"
        case .failure(let why): return "\(name): failed: \(why)"
        }
    }
}

/// DNS Tree Walks (RFC 9989 §4.10) of one evaluation, each name asked once.
struct TreeWalker {
    let resolver: any Resolver
    private let parsed: ParsedRecords<DMARCRecord?>
    private(set) var steps: [DMARCWalkStep] = []
    private var known: [DomainName: DMARCWalkStep] = [:]

    init(resolver: any Resolver, parsed: ParsedRecords<DMARCRecord?>) { (self.resolver, self.parsed) = (resolver, parsed) }

    /// The names a walk may ask: the domain, then its ancestors from seven labels at most down to one.
    static func targets(of domain: DomainName) -> [DomainName] {
        guard !domain.isRoot else { return [] }
        var targets = [domain]
        let count = domain.labelCount
        var next = domain.parent
        for _ in 0..<max(0, count - 8) { next = next?.parent }
        while let name = next, !name.isRoot {
            targets.append(name)
            next = name.parent
        }
        return targets
    }

    /// The whole walk, which ends at psd=y or psd=n (steps 2 and 6), or at a DNS failure, after which nothing may be concluded.
    mutating func walk(from domain: DomainName) async -> [DMARCWalkStep] {
        var walk: [DMARCWalkStep] = []
        for target in Self.targets(of: domain) {
            let step = await ask(target)
            walk.append(step)
            if step.failure != nil { break }
            if let record = step.record, record.psd != .unknown { break }
        }
        return walk
    }

    mutating func ask(_ domain: DomainName) async -> DMARCWalkStep {
        if let step = known[domain] { return step }
        let step = DMARCWalkStep(domain: domain, finding: await finding(domain))
        known[domain] = step
        steps.append(step)
        return step
    }

    private func finding(_ domain: DomainName) async -> DMARCWalkStep.Finding {
        // Too long a name for `_dmarc` to fit before it cannot have a record.
        guard let name = domain.prepending("_dmarc") else { return .nothing }
        let answer = await resolver.lookup(TXTRecord.self, at: name)
        if let failure = answer.failure { return .failure(failure) }
        let records = answer.records.compactMap { parsed.record($0.joined) { DMARCRecord($0) } }
        switch records.count {
        case 0: return .nothing
        case 1: return .record(records[0])
        default: return .several(records.count)
        }
    }
}

extension [DMARCWalkStep] {
    var failure: String? { last?.failure.map { "_dmarc.\(last?.domain.text ?? ""): \($0)" } }

    /// The Organizational Domain that a finished walk from `start` shows (RFC 9989 §4.10.2).
    func organizationalDomain(of start: DomainName) -> DomainName {
        for step in self {
            guard let record = step.record else { continue }
            if record.psd == .no { return step.domain }
            if record.psd == .yes, step.domain != start { return start.ancestor(labels: step.domain.labelCount + 1) }
        }
        // The record at the name with the fewest labels, or the domain itself.
        return last { $0.record != nil }?.domain ?? start
    }

    /// The policy record for `start` (RFC 9989 §4.10.1): its own, its Organizational Domain's, its public suffix's.
    func policy(for start: DomainName) -> (domain: DomainName, record: DMARCRecord)? {
        func at(_ domain: DomainName) -> (DomainName, DMARCRecord)? {
            first { $0.domain == domain }?.record.map { (domain, $0) }
        }
        if let own = at(start) ?? at(organizationalDomain(of: start)) { return own }
        return first { $0.record?.psd == .yes }.flatMap { at($0.domain) }
    }
}

extension DomainName {
    /// The ancestor of that many labels, or the name itself when it has no more.
    func ancestor(labels count: Int) -> DomainName {
        var name = self
        while name.labelCount > count, let parent = name.parent { name = parent }
        return name
    }
}
