import BlockingPool
import DNS
import Foundation
import HTTPSClient
import NetworkAddress

/// A domain's policy as a sender has to obey it now.
public struct STSFinding: Sendable, Hashable {
    /// In force: fetched and not older than its `max_age`. nil: the domain has none that could be had.
    public let policy: STSPolicy?
    /// The document as published, for reports; empty without one.
    public let text: String
    /// Why a policy that the domain announces could not be had (RFC 8460 §4.3.2.3), or a fresher one than that in force.
    public let problem: STSProblem?

    public init(policy: STSPolicy?, text: String = "", problem: STSProblem? = nil) {
        self.policy = policy
        self.text = text
        self.problem = problem
    }

    public static let nothing = STSFinding(policy: nil)
}

/// Why an announced policy could not be had. The raw values are RFC 8460's result types.
public struct STSProblem: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable, Hashable {
        case fetch = "sts-policy-fetch-error"
        case invalid = "sts-policy-invalid"
        case webPKI = "sts-webpki-invalid"
    }
    public let kind: Kind
    public let description: String

    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

/// What knows domains' MTA-STS policies.
public protocol STSPolicySource: Sendable {
    func policy(of domain: DomainName) async -> STSFinding
}

/// Finds, fetches and keeps policies (RFC 8461 §3, §5.1, §10.2): a policy once had is obeyed until its `max_age` is over,
/// whatever becomes of the record or the web server, for else an attacker in the way could make it go away.
public actor STSPolicies: STSPolicySource {
    public struct Settings: Sendable {
        /// After a fetch that failed, so long passes before the next (RFC 8461 §3.3).
        public var retryDelay: TimeInterval = 300
        /// A policy older than this, or half its `max_age`, is fetched anew in the background though its id is the same.
        public var refreshAge: TimeInterval = 86_400
        /// Domains held in memory.
        public var capacity = 10_000
        public var now: @Sendable () -> Date = { Date() }
        public init() {}
    }

    private let resolver: any Resolver
    private let fetch: @Sendable (DomainName) async throws(HTTPSFailure) -> HTTPSResponse
    private let folder: STSFolder
    private let pool: BlockingPool
    private let settings: Settings
    private var known: [DomainName: Entry] = [:]
    private var fetching: [DomainName: Task<Entry, Never>] = [:]

    /// What is remembered of one domain.
    private struct Entry: Sendable {
        var kept: KeptPolicy?
        var problem: STSProblem?
        var lastFailure: Date?
    }

    /// - Parameters:
    ///   - folder: where policies are kept over a restart; made when it is missing.
    ///   - fetch: gets a domain's policy document.
    public init(resolver: any Resolver, folder: String, pool: BlockingPool, settings: Settings = Settings(),
                fetch: @escaping @Sendable (DomainName) async throws(HTTPSFailure) -> HTTPSResponse) {
        self.resolver = resolver
        self.fetch = fetch
        self.folder = STSFolder(folder)
        self.pool = pool
        self.settings = settings
    }

    /// Policies over HTTPS from `mta-sts.domain` (RFC 8461 §3.3).
    public init(resolver: any Resolver, folder: String, pool: BlockingPool, settings: Settings = Settings(), https: HTTPSClient) {
        self.init(resolver: resolver, folder: folder, pool: pool, settings: settings) { domain throws(HTTPSFailure) in
            guard let host = domain.prepending("mta-sts") else { throw .unreachable("\(domain) is too long a name") }
            return try await https.get(host, path: "/.well-known/mta-sts.txt")
        }
    }

    public func policy(of domain: DomainName) async -> STSFinding {
        guard domain.isHostName, let name = domain.prepending("_mta-sts") else { return .nothing }
        let record = STSRecord(await resolver.lookup(TXTRecord.self, at: name).records)
        var entry = await entry(of: domain)
        let now = settings.now()
        let valid = entry.kept.flatMap { $0.expiry > now ? $0 : nil }
        // Without a record, or when it cannot be asked for, what is kept stays in force (§5.1, §10.2).
        guard let record else { return finding(valid, nil) }
        if let valid, valid.id == record.id {
            if isStale(valid, now), mayFetch(entry, now) { refresh(domain, record.id) }
            return finding(valid, entry.problem)
        }
        if mayFetch(entry, now) { entry = await fetched(domain, record.id) }
        return finding(entry.kept.flatMap { $0.expiry > settings.now() ? $0 : nil }, entry.problem)
    }

    private func finding(_ kept: KeptPolicy?, _ problem: STSProblem?) -> STSFinding {
        STSFinding(policy: kept.flatMap { try? STSPolicy($0.text) }, text: kept?.text ?? "", problem: problem)
    }

    private func isStale(_ kept: KeptPolicy, _ now: Date) -> Bool {
        now.timeIntervalSince(kept.fetched) > min(settings.refreshAge, kept.expiry.timeIntervalSince(kept.fetched) / 2)
    }

    private func mayFetch(_ entry: Entry, _ now: Date) -> Bool {
        entry.lastFailure.map { now.timeIntervalSince($0) >= settings.retryDelay } ?? true
    }

    private func entry(of domain: DomainName) async -> Entry {
        if let entry = known[domain] { return entry }
        let (folder, pool) = (folder, pool)
        let kept = try? await pool.run { folder.read(domain) }
        // Another may have fetched it meanwhile.
        if let entry = known[domain] { return entry }
        return remember(domain, Entry(kept: kept ?? nil))
    }

    private func remember(_ domain: DomainName, _ entry: Entry) -> Entry {
        if known.count >= settings.capacity, known[domain] == nil, let some = known.keys.first { known[some] = nil }
        known[domain] = entry
        return entry
    }

    private func refresh(_ domain: DomainName, _ id: String) {
        guard fetching[domain] == nil else { return }
        Task { _ = await self.fetched(domain, id) }
    }

    /// One fetch at a time for a domain; whoever comes meanwhile gets its outcome.
    private func fetched(_ domain: DomainName, _ id: String) async -> Entry {
        if let running = fetching[domain] { return await running.value }
        let old = known[domain]?.kept
        let task = Task { await self.load(domain, id, old) }
        fetching[domain] = task
        let entry = await task.value
        fetching[domain] = nil
        return remember(domain, entry)
    }

    private func load(_ domain: DomainName, _ id: String, _ old: KeptPolicy?) async -> Entry {
        do throws(STSProblemError) {
            let fresh = try await document(domain, id)
            let (folder, pool) = (folder, pool)
            // A policy that cannot be written is obeyed from memory.
            try? await pool.run { folder.write(fresh, domain) }
            return Entry(kept: fresh)
        } catch {
            return Entry(kept: old, problem: error.problem, lastFailure: settings.now())
        }
    }

    private struct STSProblemError: Error { let problem: STSProblem }

    private func document(_ domain: DomainName, _ id: String) async throws(STSProblemError) -> KeptPolicy {
        let response: HTTPSResponse
        do throws(HTTPSFailure) {
            response = try await fetch(domain)
        } catch {
            if case .tls(let why) = error { throw STSProblemError(problem: STSProblem(.webPKI, why)) }
            throw STSProblemError(problem: STSProblem(.fetch, error.description))
        }
        // RFC 8461 §3.3: 200 alone; redirects are not followed. The media type is text/plain.
        guard response.status == 200 else { throw STSProblemError(problem: STSProblem(.fetch, "HTTP status \(response.status)")) }
        guard response.mediaType == "text/plain" else {
            throw STSProblemError(problem: STSProblem(.invalid, "the media type is \(response.mediaType.prefix(60).debugDescription), not text/plain"))
        }
        let text = String(decoding: response.body, as: UTF8.self)
        do throws(STSPolicy.Invalid) {
            let policy = try STSPolicy(text)
            let now = settings.now()
            return KeptPolicy(id: id, text: text, fetched: now, expiry: now.addingTimeInterval(TimeInterval(policy.maxAge)))
        } catch {
            throw STSProblemError(problem: STSProblem(.invalid, error.description))
        }
    }
}
