import BlockingPool
import DKIM
import DKIMKeys
import DNS
import Foundation
import NetworkAddress
import PosternDaemon

/// DKIM keys of both algorithms, which sign once their records are seen.
struct KeyStep: SetupStep {
    let domain: DomainName
    let settings: Settings
    var item: String { "DKIM keys" }

    func look() throws -> SetupState {
        let named = settings[Known.dkimKeys].filter { $0.domain == domain }
        if !named.isEmpty { return .kept(named.map { "\($0.selector) of the settings" }.joined(separator: ", ")) }
        let store = KeyStore(folder: settings.dkimKeyFolder)
        if let keys = try store.load(domain)?.keys, !keys.isEmpty { return .kept(keys.map { "\($0.selector) (\($0.state.rawValue))" }.joined(separator: ", ")) }
        return .missing("RSA-2048 and Ed25519 for \(domain), in \(store.folder)")
    }

    /// Owned like the data folder, whoever runs this.
    func perform() throws -> [String] {
        // Making keys asks no DNS.
        let keeper = KeyKeeper.make(settings, resolver: NoResolver(), nameServerPort: nil, pool: BlockingPool(threads: 1, name: "setup"))
        _ = try keeper.create(domain, SigningKey.Kind.standard, selector: nil)
        return []
    }

    private struct NoResolver: Resolver {
        func resolve(_ question: DNSQuestion) async -> DNSResponse { DNSResponse(.temporaryFailure("nobody is asked")) }
    }
}
