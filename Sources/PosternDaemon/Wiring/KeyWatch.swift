import BlockingPool
import DKIMKeys
import DNS
import NameServers
import Foundation
import Logging
import NetworkAddress
import Synchronization

/// Looks for the records of staged DKIM keys while the server runs, and lets a key sign as soon as its record is
/// everywhere; reminds of keys whose retirement is due.
final class KeyWatch: Sendable {
    /// Between two looks. An operator in a hurry runs `postern dkim check` and reloads.
    static let interval = Duration.seconds(600)

    private let live: Live
    private let ground: LiveParts.Ground
    /// Its own: a name server that is silent holds a thread for seconds, and mail must not wait for that.
    private let pool = BlockingPool(threads: 4, name: "keys")
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(live: Live, ground: LiveParts.Ground) {
        self.live = live
        self.ground = ground
    }

    func start() {
        let watch = Task(executorPreference: pool) { [self] in
            while !Task.isCancelled {
                await look()
                try? await Task.sleep(for: Self.interval)
            }
        }
        task.withLock { $0 = watch }
    }

    func stop() { task.withLock { $0?.cancel() } }

    /// Blocks for the store's files; runs on the pool.
    private func look() async {
        let keeper = KeyKeeper.make(live.current.settings, resolver: ground.resolver, pool: pool)
        do {
            for domain in try keeper.store.domains() {
                // One domain's broken folder must not hold up the others' keys.
                do { try await look(at: domain, keeper) } catch { report(error, domain) }
            }
            try adopt(keeper.store)
        } catch { report(error, nil) }
    }

    private func report(_ error: any Error, _ domain: DomainName?) {
        ground.logger.error("DKIM keys", metadata: ["domain": "\(domain?.text ?? "all")", "error": "\(error)"])
    }

    private func look(at domain: DomainName, _ keeper: KeyKeeper) async throws {
        guard let keys = try keeper.store.load(domain) else { return }
        for key in keys.due(at: Date()) {
            ground.logger.notice("DKIM key to be retired", metadata: [
                "domain": "\(domain)", "selector": "\(key.selector)", "command": "postern dkim retire \(domain)",
            ])
        }
        if !keys.keys(in: .staged).isEmpty { _ = try await keeper.check(domain) }
    }

    /// Takes up what changed in the store, here or by a command.
    private func adopt(_ store: KeyStore) throws {
        let active = try store.domains().flatMap { domain in
            try store.load(domain)?.keys(in: .active).map { "\(domain)/\($0.selector)" } ?? []
        }
        guard Set(active) != live.current.storedKeys else { return }
        try live.reload { try LiveParts($0.settings, on: ground, previous: $0) }
        ground.logger.notice("DKIM keys changed", metadata: ["signing": "\(live.current.storedKeys.sorted().joined(separator: ", "))"])
    }
}

extension KeyKeeper {
    /// The keeper that the settings describe. With `dns.offline` or a zone file only the resolver is asked.
    /// - Parameter nameServerPort: nil asks the resolver only.
    public static func make(_ settings: Settings, resolver: any Resolver, nameServerPort: UInt16? = 53, pool: BlockingPool) -> KeyKeeper {
        let asksServers = !settings[Known.dnsOffline] && settings[Known.dnsZoneFile].path.isEmpty
        let servers = asksServers ? nameServerPort.map { NameServerClient(port: $0, pool: pool) } : nil
        return KeyKeeper(store: KeyStore(folder: settings.dkimKeyFolder), check: PublicationCheck(resolver: resolver, nameServers: servers),
                         retirement: TimeInterval(settings[Known.dkimRetirementTime].seconds))
    }
}
