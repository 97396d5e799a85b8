import Accounts
import BlockingPool
import DKIM
import DMARC
import DMARCRecords
import DNS
import Foundation
import InternetMessage
import Logging
import MailFilters
import Milter
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
    let chain: FilterChain
    let tls: TLSContext?
    let book: AddressBook
    let signing: SigningFilter

    /// What outlives a reload and is shared by every generation of parts.
    struct Ground: Sendable {
        let resolver: any Resolver
        let accounts: AccountStore
        let ledger: TagLedger
        /// nil: no rows are kept.
        let evaluations: (any DMARCEvaluationRecorder)?
        let logger: Logger
    }

    init(_ settings: Settings, on ground: Ground) throws {
        self.settings = settings
        let book = AddressBook(settings, accounts: ground.accounts)
        self.book = book
        tls = try Self.tlsContext(settings)
        signing = SigningFilter(keys: try Self.keyTable(settings), mayWriteAs: { book.mayWrite($0, as: $1) }, logger: ground.logger)
        let authservID = Self.authservID(settings)
        let dmarc = DMARCEvaluator(resolver: ground.resolver)
        chain = FilterChain([
            TrustedRelayFilter(relays: settings[Known.trustedRelays], logger: ground.logger),
            ForgedResultsFilter(authservID: authservID),
            AuthenticationFilter(
                resolver: ground.resolver,
                spf: SPFEvaluator(resolver: ground.resolver, receiverName: settings[Known.myhostname].text),
                dkim: try DKIMVerifier(resolver: ground.resolver), dmarc: dmarc),
            TagFilter(ledger: ground.ledger, dmarc: dmarc, tagIn: { book.tag(in: $0) }, logger: ground.logger),
            PolicyFilter(rules: try Self.rules(settings), delimiters: settings[Known.recipientDelimiter], logger: ground.logger,
                         recorder: ground.evaluations),
            ResultsHeaderFilter(authservID: authservID),
            signing,
        ])
    }

    static func authservID(_ settings: Settings) -> String {
        settings[Known.authservID].isEmpty ? settings[Known.myhostname].text : settings[Known.authservID]
    }

    /// The accounts of an installation, for the server and for `postern account`.
    public static func openAccounts(_ settings: Settings) throws -> AccountStore {
        try AccountStore(path: settings[Known.dataDirectory].path + "/accounts.sqlite", pool: BlockingPool(threads: 2, name: "accounts"))
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
        _ = try keyTable(settings)
        var notes: [String] = []
        if try tlsContext(settings) == nil {
            notes.append("note: smtpd_tls_cert_file is not set: no STARTTLS, and nobody can log in")
        }
        if settings[Known.mydestination].isEmpty { notes.append("note: mydestination is empty: no mail is delivered here") }
        if settings[Known.dkimKeys].isEmpty { notes.append("note: there is no [[dkim]] key: outgoing mail is not signed") }
        return notes
    }

    /// The rules: each `*.policy` in the folder.
    private static func rules(_ settings: Settings) throws -> RuleSet {
        let folder = settings[Known.policyDirectory].path
        guard !folder.isEmpty else { return RuleSet.empty }
        return try RuleSet.load(folder: folder)
    }

    private static func keyTable(_ settings: Settings) throws -> KeyTable {
        KeyTable(try settings[Known.dkimKeys].map { key in
            KeyTable.Entry(try SigningKey(pemFile: key.keyFile.path, domain: key.domain, selector: key.selector), subdomains: key.subdomains)
        })
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

    init(_ parts: LiveParts) { self.parts = Mutex(parts) }

    var current: LiveParts { parts.withLock { $0 } }

    func swap(_ fresh: LiveParts) { parts.withLock { $0 = fresh } }
}
