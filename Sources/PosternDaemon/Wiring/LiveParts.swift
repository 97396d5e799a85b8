import Accounts
import BlockingPool
import DKIM
import DKIMKeys
import DMARC
import DMARCRecords
import DNS
import Foundation
import InternetMessage
import Logging
import MailFilters
import Milter
import MilterClient
import NIOCore
import NetworkAddress
import Policy
import SPF
import Synchronization
import TLS
import Tags

/// What a reload swaps, all or nothing: rules, keys, certificate, whose addresses are whose.
///
/// Sessions that run keep the parts they began with.
public struct LiveParts: Sendable {
    let settings: Settings
    /// For mail over our own SMTP ports.
    let chain: FilterChain
    /// For a foreign MTA that asks us as its milter: the built-in filters alone, since it has milters of its own.
    let milterChain: FilterChain
    let tls: TLSContext?
    let book: AddressBook
    let signing: SigningFilter
    /// The key store's keys that sign, as `domain/selector`.
    let storedKeys: Set<String>

    /// What outlives a reload and is shared by every generation of parts.
    struct Ground: Sendable {
        let resolver: any Resolver
        let accounts: AccountStore
        let ledger: TagLedger
        /// nil: no rows are kept.
        let evaluations: (any DMARCEvaluationRecorder)?
        let group: any EventLoopGroup
        let logger: Logger
    }

    init(_ settings: Settings, on ground: Ground) throws {
        self.settings = settings
        let book = AddressBook(settings, accounts: ground.accounts)
        self.book = book
        tls = try Self.tlsContext(settings)
        let stored = try Self.storedKeys(settings)
        storedKeys = Set(stored.map { "\($0.key.domain)/\($0.key.selector)" })
        signing = SigningFilter(keys: try Self.keyTable(settings, stored), mayWriteAs: { book.mayWrite($0, as: $1) }, logger: ground.logger)
        let authservID = Self.authservID(settings)
        let dmarc = DMARCEvaluator(resolver: ground.resolver)
        let builtIn: [any MailFilter] = [
            TrustedRelayFilter(relays: settings[Known.trustedRelays], logger: ground.logger),
            AuthenticationFilter(
                resolver: ground.resolver,
                spf: SPFEvaluator(resolver: ground.resolver, receiverName: settings[Known.myhostname].text),
                dkim: try DKIMVerifier(resolver: ground.resolver, limits: DKIMLimits(maxSignatures: settings[Known.dkimSignatureLimit])), dmarc: dmarc),
            // After the check of signatures: what is removed here may have been signed.
            ForgedResultsFilter(authservID: authservID),
            TagFilter(ledger: ground.ledger, dmarc: dmarc, tagIn: { book.tag(in: $0) }, logger: ground.logger),
            PolicyFilter(rules: try Self.rules(settings), delimiters: settings[Known.recipientDelimiter], logger: ground.logger,
                         recorder: ground.evaluations),
            ResultsHeaderFilter(authservID: authservID),
            signing,
        ]
        milterChain = FilterChain(builtIn)
        chain = FilterChain(settings[Known.milters].flatMap { link -> [any MailFilter] in
            guard case .foreign(let address, let own) = link else { return builtIn }
            return [MilterClientFilter(configuration: Self.milter(address, own, settings), group: ground.group, logger: ground.logger)]
        })
    }

    private static func milter(_ address: MilterAddress, _ own: MilterLink.Own, _ settings: Settings) -> MilterClientConfiguration {
        MilterClientConfiguration(
            address: address, hostname: settings[Known.myhostname].text, defaultAction: own.defaultAction ?? settings[Known.milterDefaultAction].word,
            connectTimeout: (own.connectTimeout ?? settings[Known.milterConnectTimeout]).duration,
            commandTimeout: (own.commandTimeout ?? settings[Known.milterCommandTimeout]).duration,
            contentTimeout: (own.contentTimeout ?? settings[Known.milterContentTimeout]).duration)
    }

    static func authservID(_ settings: Settings) -> String {
        settings[Known.authservID].isEmpty ? settings[Known.myhostname].text : settings[Known.authservID]
    }

    /// The accounts of an installation, for `postern account`. Makes the data folder when it is not there yet; started as
    /// root, the process becomes `user` first, so that the server can write what it makes.
    public static func openAccounts(_ settings: Settings) throws -> AccountStore {
        let user = try Privileges.target(settings[Known.user])
        try DataFolder.prepare(settings[Known.dataDirectory].path, owner: user)
        if let user {
            try DataFolder.handOver(settings[Known.dataDirectory].path, to: user)
            try Privileges.become(user)
        }
        return try AccountStore(path: settings[Known.dataDirectory].path + "/accounts.sqlite", pool: BlockingPool(threads: 2, name: "accounts"))
    }

    /// Where the rows of evaluated messages are.
    static func evaluationFile(_ settings: Settings) -> String { settings[Known.dataDirectory].path + "/dmarc.sqlite" }

    /// What the installation remembers of evaluated messages, by domain and source, for `postern dmarc`. Blocks.
    /// - Parameter since: seconds since 1970.
    public static func evaluations(_ settings: Settings, since: Int) throws -> [DMARCSourceSummary] {
        try DMARCRecordStore.summaries(path: evaluationFile(settings), since: since)
    }

    /// Reads everything a settings file points at, without starting anything.
    /// - Returns: remarks worth a look that are no errors.
    /// - Throws: what `postern serve` would refuse to start with.
    public static func check(_ settings: Settings) throws -> [String] {
        _ = try rules(settings)
        _ = try Privileges.target(settings[Known.user])
        _ = try ResolverSettings.configuration(settings)
        var notes: [String] = []
        if try tlsContext(settings) == nil {
            notes.append("note: smtpd_tls_cert_file is not set: no STARTTLS, and nobody can log in")
        }
        if settings[Known.mydestination].isEmpty { notes.append("note: mydestination is empty: no mail is delivered here") }
        if try keyTable(settings, storedKeys(settings)).isEmpty {
            notes.append("note: no DKIM key signs: outgoing mail is not signed. Make one with: postern dkim new DOMAIN")
        }
        return notes
    }

    /// The rules: each `*.policy` in the folder.
    private static func rules(_ settings: Settings) throws -> RuleSet {
        let folder = settings[Known.policyDirectory].path
        guard !folder.isEmpty else { return RuleSet.empty }
        return try RuleSet.load(folder: folder)
    }

    /// The keys of the settings, and those of the store that are active.
    private static func keyTable(_ settings: Settings, _ stored: [KeyTable.Entry]) throws -> KeyTable {
        let named = try settings[Known.dkimKeys].map { key in
            KeyTable.Entry(try SigningKey(pemFile: key.keyFile.path, domain: key.domain, selector: key.selector), subdomains: key.subdomains)
        }
        return KeyTable(named + stored, hostName: settings[Known.myhostname])
    }

    private static func storedKeys(_ settings: Settings) throws -> [KeyTable.Entry] {
        try KeyStore(folder: settings.dkimKeyFolder).signingEntries()
    }

    private static func tlsContext(_ settings: Settings) throws -> TLSContext? {
        let certificate = settings[Known.certFile].path, key = settings[Known.keyFile].path
        guard !certificate.isEmpty || !key.isEmpty else { return nil }
        return try TLSContext.server(certificateChain: certificate, privateKey: key.isEmpty ? certificate : key)
    }
}

/// The parts in force.
final class Live: Sendable {
    private let parts: Mutex<LiveParts>
    /// Held while new parts are made, so that of two reloads the second one knows what the first one did.
    private let reloading = Mutex(())

    init(_ parts: LiveParts) { self.parts = Mutex(parts) }

    var current: LiveParts { parts.withLock { $0 } }

    /// Makes new parts from those in force and puts them in their place; when `make` throws, the old ones stay. Blocks.
    func reload(_ make: (LiveParts) throws -> LiveParts) throws {
        try reloading.withLock { _ in
            let fresh = try make(current)
            parts.withLock { $0 = fresh }
        }
    }
}
