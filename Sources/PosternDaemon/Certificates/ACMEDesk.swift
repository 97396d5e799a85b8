import ACME
import BlockingPool
import DNS
import Foundation
import HTTPSClient
import Logging
import NIOCore
import Synchronization
import TLS

/// Obtains and renews the installation's certificate. One attempt at a time.
final class ACMEDesk: Sendable {
    private let settings: Settings
    private let store: ACMEStore
    private let transport: any ACMETransport
    private let presenter: any ChallengePresenter
    private let pool: BlockingPool
    private let logger: Logger
    private let isTrial: Bool
    private let isBusy = Mutex(false)

    /// - Parameter isTrial: what is obtained is not kept, and failures are not counted.
    init(_ settings: Settings, isTrial: Bool = false, resolver: any DNS.Resolver, group: any EventLoopGroup, presenter: any ChallengePresenter, pool: BlockingPool,
         logger: Logger) throws {
        self.settings = settings
        self.isTrial = isTrial
        store = ACMEStore(settings)
        let authority = settings[Known.acmeCAFile].path
        var limits = HTTPSClient.Limits()
        limits.body = 1 << 20
        let context = try TLSContext.client(trust: authority.isEmpty ? .system : .file(authority))
        transport = HTTPSTransport(client: HTTPSClient(resolver: resolver, group: group, context: context, limits: limits))
        self.presenter = presenter
        self.pool = pool
        self.logger = logger
    }

    /// When the next attempt is due, in seconds since 1970; the past: now. Blocks.
    func due() -> Int64 { Self.due(store, settings) }

    static func due(_ store: ACMEStore, _ settings: Settings) -> Int64 {
        let state = store.state(), order = settings.acmeOrder
        guard let facts = store.certificate(), let start = facts.notBefore, let end = facts.notAfter, state.directory == order.directory,
            Set(order.names) == Set(state.names) else { return state.notBefore }
        return max(RenewalPlan.due(notBefore: start, notAfter: end, share: RenewalPlan.share(serial: facts.serial)), state.notBefore)
    }

    /// Makes an attempt, and keeps what came of it.
    /// - Parameter progress: told what is done, in words.
    /// - Throws: ``ACMEFailure``, ``StateFileError``.
    func attempt(_ progress: @escaping @Sendable (String) async -> Void) async throws -> CertificateFacts {
        guard isBusy.withLock({ busy in defer { busy = true }; return !busy }) else {
            throw ACMEFailure(.local, "an attempt is already under way")
        }
        defer { isBusy.withLock { $0 = false } }
        let (store, order) = (store, settings.acmeOrder)
        await progress("asking \(order.directory) for \(order.names.joined(separator: ", "))")
        do {
            let key = try await pool.run { [isTrial] in isTrial ? try AccountKey() : try store.accountKey(order.directory) }
            let chain = try await ACMEClient(transport: transport, presenter: presenter, progress: progress).issue(order, key: key)
            if isTrial, let facts = CertificateFacts(pem: chain) { return facts }
            let facts = try await pool.run {
                let facts = try store.install(chain, order)
                var state = ACMEStore.State()
                (state.directory, state.names, state.lastAttempt) = (order.directory, order.names, Self.now)
                try store.save(state)
                return facts
            }
            logger.notice("a certificate was issued", metadata: [
                "names": "\(facts.names.joined(separator: ", "))", "issuer": "\(facts.issuer)", "until": "\(LogTime.text(facts.notAfter))",
            ])
            return facts
        } catch {
            if !isTrial { try await note(error) }
            throw error
        }
    }

    static var now: Int64 { Int64(Date().timeIntervalSince1970) }

    private func note(_ error: any Error) async throws {
        let store = store
        let state = try await pool.run {
            var state = store.state()
            state.lastAttempt = Self.now
            state.failures += 1
            state.lastError = String("\(error)".prefix(1000))
            state.notBefore = Self.now + RenewalPlan.pause(failures: state.failures, retryAfter: (error as? ACMEFailure)?.retryAfter)
            try store.save(state)
            return state
        }
        logger.error("no certificate from the authority", metadata: [
            "error": "\(error)", "failures": "\(state.failures)", "again": "\(LogTime.text(state.notBefore))",
        ])
    }
}

/// Looks while the server runs whether a certificate is due.
final class ACMEService: Sendable {
    private let desk: ACMEDesk
    private let pool: BlockingPool
    private let logger: Logger
    private let task = Mutex<Task<Void, Never>?>(nil)
    /// Seconds between two looks at the most.
    static let interval: Int64 = 30

    init(desk: ACMEDesk, pool: BlockingPool, logger: Logger) {
        self.desk = desk
        self.pool = pool
        self.logger = logger
    }

    func start() {
        let work = Task { [self] in
            while !Task.isCancelled {
                let due = await look()
                let wait = min(max(due - ACMEDesk.now, 1), Self.interval)
                try? await Task.sleep(for: .seconds(wait))
            }
        }
        task.withLock { $0 = work }
    }

    func stop() async {
        let work = task.withLock { $0.take() }
        work?.cancel()
        await work?.value
    }

    /// - Returns: when the next attempt is due.
    private func look() async -> Int64 {
        let desk = desk
        guard let due = try? await pool.run({ desk.due() }) else { return .max }
        guard due <= ACMEDesk.now else { return due }
        // What went wrong is logged and kept there.
        _ = try? await desk.attempt { [logger] in logger.info("certificate", metadata: ["doing": "\($0)"]) }
        return (try? await pool.run { desk.due() }) ?? .max
    }
}
