import Accounts
import Aliases
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
import NIOCore
import NetworkAddress
import Policy
import PolicySources
import SPF
import Synchronization
import TLS
import Tags

/// What a reload swaps, all or nothing: rules, keys, certificate, whose addresses are whose.
///
/// Sessions that run keep the parts they began with.
public struct LiveParts: Sendable {
    let settings: Settings
    /// For mail over our own ports, and mail made here.
    let chains: FilterChains
    /// For a foreign MTA that asks us as its milter: the built-in filters alone, since it has milters of its own.
    let milterChain: FilterChain
    private(set) var certificates: ServerCertificates
    var tls: TLSContext? { certificates.context }
    let book: AddressBook
    let rules: RuleSet
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
        var metrics = Metrics()
        /// nil: rules count nothing, and nobody waits in a greylist.
        var policyState: PolicyState?
        /// Where rules that need a database wait for it, and where those that ask for attachments look through archives.
        var policyPool = BlockingPool(threads: 4, name: "policy")
        var archivePool = BlockingPool(threads: 2, name: "archives")
    }

    /// - Parameter previous: those in force, whose certificates stay where their files did not change.
    init(_ settings: Settings, on ground: Ground, previous: LiveParts? = nil) throws {
        self.settings = settings
        // Only the server makes them, before this: `postern verify` leaves nothing behind.
        let secrets = settings[Known.srs] ? try SRSSecrets.read(settings.srsSecretsPath) ?? [] : []
        let tables = try AddressTables(settings, srsSecrets: secrets)
        for remark in tables.remarks { ground.logger.warning("\(remark)") }
        let book = AddressBook(settings, accounts: ground.accounts, tables: tables)
        self.book = book
        certificates = try ServerCertificates(CertificatePlan(settings), previous: previous?.certificates)
        for remark in certificates.remarks { ground.logger.warning("\(remark)") }
        let stored = try Self.storedKeys(settings)
        storedKeys = Set(stored.map { "\($0.key.domain)/\($0.key.selector)" })
        let signing = SigningFilter(keys: try Self.keyTable(settings, stored), mayWriteAs: { book.mayWrite($0, as: $1) }, logger: ground.logger)
        let authservID = Self.authservID(settings)
        let dmarc = DMARCEvaluator(resolver: ground.resolver)
        let tags = TagFilter(ledger: ground.ledger, dmarc: dmarc, tagIn: { book.tag(in: $0) }, logger: ground.logger)
        rules = try Self.rules(settings)
        for remark in RuleTargetCheck.remarks(rules, book) { ground.logger.warning("\(remark)") }
        let house = PolicyHouse(delimiters: settings[Known.recipientDelimiter], isOurs: { book.isLocal($0) })
        let source = LivePolicySource(resolver: ground.resolver, state: ground.policyState, pool: ground.policyPool, archives: ground.archivePool, logger: ground.logger,
                                      mayWrite: { book.mayWrite($0, as: $1) })
        let builtIn: [any MailFilter] = [
            TrustedRelayFilter(relays: settings[Known.trustedRelays], logger: ground.logger),
            AuthenticationFilter(
                resolver: ground.resolver,
                spf: SPFEvaluator(resolver: ground.resolver, receiverName: settings[Known.myhostname].text),
                dkim: try DKIMVerifier(resolver: ground.resolver, limits: DKIMLimits(maxSignatures: settings[Known.dkimSignatureLimit])), dmarc: dmarc),
            // After the check of signatures: what is removed here may have been signed.
            ForgedResultsFilter(authservID: authservID),
            tags,
            NotedPolicyFilter(PolicyFilter(rules: rules, house: house, source: source, logger: ground.logger, recorder: ground.evaluations, tags: tags.recorder)),
            ResultsHeaderFilter(authservID: authservID),
            signing,
        ]
        milterChain = FilterChain(builtIn)
        chains = FilterChains(settings, builtIn: builtIn, group: ground.group, logger: ground.logger)
    }

    static func authservID(_ settings: Settings) -> String {
        settings[Known.authservID].isEmpty ? settings[Known.myhostname].text : settings[Known.authservID]
    }

    /// The accounts of an installation, for `postern account`. Makes the data folder when it is not there yet; started as
    /// root, the process becomes `user` first, so that the server can write what it makes.
    public static func openAccounts(_ settings: Settings) throws -> AccountStore {
        let store = try AccountStore(path: try enterDataFolder(settings) + "/accounts.sqlite", pool: BlockingPool(threads: 2, name: "accounts"))
        for fault in try readPasswdFile(settings, into: store) { FileHandle.standardError.write(Data("postern: \(fault)\n".utf8)) }
        return store
    }

    /// The accounts as a look at them needs them, `passwd_file` among them; its faults are told elsewhere. Blocks.
    static func accounts(at path: String, _ settings: Settings) throws -> AccountStore {
        let store = try AccountStore(path: path, pool: BlockingPool(threads: 1, name: "accounts"))
        try readPasswdFile(settings, into: store)
        return store
    }

    /// - Returns: the lines of `passwd_file` that do not hold.
    @discardableResult
    static func readPasswdFile(_ settings: Settings, into store: AccountStore) throws -> [PasswdFileFault] {
        let path = settings[Known.passwdFile].path
        return try store.readPasswdFile(path.isEmpty ? nil : path, domains: settings[Known.mydestination])
    }

    /// For a command that writes beside the server: the data folder, made when it is not there yet, and the process as
    /// `user` when it was root. Blocks.
    static func enterDataFolder(_ settings: Settings) throws -> String {
        let user = try Privileges.target(settings[Known.user])
        try DataFolder.prepare(settings[Known.dataDirectory].path, owner: user)
        if let user {
            try DataFolder.handOver(settings[Known.dataDirectory].path, to: user)
            try Privileges.become(user)
        }
        return settings[Known.dataDirectory].path
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
        let rules = try rules(settings)
        _ = try Privileges.target(settings[Known.user])
        _ = try ResolverSettings.configuration(settings)
        try ClientWiring.check(settings)
        var notes = try AddressCheck.notes(settings, rules)
        let certificates = try ServerCertificates(CertificatePlan(settings))
        notes += certificates.context?.warnings.map { "note: \($0)" } ?? []
        if certificates.context == nil {
            notes.append("note: smtpd_tls_cert_file is not set: no STARTTLS, and nobody can log in")
        }
        if settings[Known.mydestination].isEmpty { notes.append("note: mydestination is empty: no mail is delivered here") }
        if try keyTable(settings, storedKeys(settings)).isEmpty {
            notes.append("note: no DKIM key signs: outgoing mail is not signed. Make one with: postern dkim new DOMAIN")
        }
        let passwdFile = settings[Known.passwdFile].path
        if !passwdFile.isEmpty { notes += AccountStore.faults(ofPasswdFile: passwdFile).map { "error: passwd_file: \($0)" } }
        return notes + filterNotes(settings)
    }

    /// Settings that are allowed together and do not say what they seem to.
    private static func filterNotes(_ settings: Settings) -> [String] {
        var notes = MailEntrance.allCases.filter { $0 != .lmtp && !settings.milters(for: $0).contains(.builtIn) }.map {
            "note: without \"builtin\" in the list for \($0.rawValue) its mail is neither verified nor signed, and no rule sees it"
        }
        if settings.isSet(Known.lmtpMilters), settings.isSet(Known.lmtpFilters) {
            notes.append("note: lmtp_filters says nothing any more: listener_milters.lmtp is set")
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

    /// The same with certificates from the same files as they are now.
    /// - Throws: ``TLSError``.
    func withCertificatesReadAgain() throws -> LiveParts {
        var parts = self
        parts.certificates = try ServerCertificates(CertificatePlan(settings), previous: certificates)
        return parts
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
