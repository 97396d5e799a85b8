import DKIM
import DMARC
import DNS
import Foundation
import InternetMessage
import Logging
@testable import MailFilters
import Milter
import NetworkAddress
import Policy
import PosternTesting
import SPF
import Tags
import Testing

/// A gateway's chain as the daemon orders it, over a zone text and the shipped rules, in a folder of its own.
struct House {
    static let id = "mx.home.example"
    static let policies = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/policies"
    static let key: SigningKey? = DomainName("honest.example").flatMap { domain in
        (try? SigningKey.generate(.ed25519)).flatMap { try? SigningKey(pem: $0, domain: domain, selector: "s1") }
    }

    /// `honest.example` publishes all three; 192.0.2.1 is its server.
    static var zone: String {
        """
        honest.example. TXT "v=spf1 ip4:192.0.2.1 -all"
        _dmarc.honest.example. TXT "v=DMARC1; p=reject"
        s1._domainkey.honest.example. TXT "\(key?.publicRecord ?? "")"
        mail.honest.example. A 192.0.2.1
        mail.honest.example. TXT "v=spf1 a -all"
        1.2.0.192.in-addr.arpa. PTR mail.honest.example.
        shop.example. TXT "v=spf1 ip4:192.0.2.77 -all"
        _dmarc.shop.example. TXT "v=DMARC1; p=quarantine"

        """
    }

    let resolver: ZoneResolver
    let chain: FilterChain
    let ledger: TagLedger
    private let folder: String

    static func with(_ zone: String = zone, timeouts: [String] = [], relays: [String] = [], recorder: (any DMARCEvaluationRecorder)? = nil,
                     _ body: (House) async throws -> Void) async throws {
        let house = try House(zone, timeouts, relays, recorder)
        defer { house.close() }
        try await body(house)
    }

    private init(_ zone: String, _ timeouts: [String], _ relays: [String], _ recorder: (any DMARCEvaluationRecorder)?) throws {
        folder = NSTemporaryDirectory() + "filters-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        resolver = try ZoneResolver(zone, timeouts: timeouts)
        ledger = try TagLedger(path: folder + "/tags.sqlite", mintingKey: Array(repeating: 7, count: 32))
        let dmarc = DMARCEvaluator(resolver: resolver)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let tags = TagFilter(ledger: ledger, dmarc: dmarc, tagIn: Self.tag, logger: logger)
        chain = FilterChain([
            TrustedRelayFilter(relays: relays.compactMap { IPNetwork($0) }, logger: logger),
            AuthenticationFilter(resolver: resolver, spf: SPFEvaluator(resolver: resolver, receiverName: Self.id),
                                 dkim: try DKIMVerifier(resolver: resolver), dmarc: dmarc),
            ForgedResultsFilter(authservID: Self.id),
            tags,
            PolicyFilter(rules: try RuleSet.load(folder: Self.policies), delimiters: "+", logger: logger, recorder: recorder, tags: tags.recorder),
            ResultsHeaderFilter(authservID: Self.id),
        ])
    }

    private func close() {
        ledger.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    @Sendable private static func tag(_ address: EmailAddress) -> TagAddress? {
        let (base, detail) = address.splittingDetail(delimiters: "+")
        return address.domainName?.text == "home.example" ? detail.map { TagAddress(base: base, detail: $0) } : nil
    }

    /// One message through every stage.
    func send(_ letter: Letter) async throws -> Journey {
        var session = chain.makeSession()
        var connection = ConnectionFacts(clientAddress: IPAddress(letter.client), listener: "smtp")
        connection.isOwnNetwork = letter.isOwn
        var transaction = Transaction(id: "t1", connection: connection, helo: letter.helo, sender: EnvelopeSender(EmailAddress(letter.sender)))
        _ = await session.connect(connection)
        _ = await session.helo(letter.helo, connection)
        _ = await session.mail(&transaction)
        var refused: [String] = []
        for text in letter.recipients {
            let recipient = EnvelopeRecipient(try #require(EmailAddress(text)))
            let verdict = await session.rcpt(recipient, &transaction)
            if verdict.answer.isNegative { refused.append(text) } else { transaction.recipients.append(recipient) }
        }
        _ = await session.data(&transaction)
        transaction.receive(try letter.message())
        let verdict = await session.endOfMessage(&transaction)
        return Journey(verdict: verdict, transaction: transaction, refusedRecipients: refused)
    }
}

/// What came of a letter.
struct Journey {
    let verdict: FilterChainSession.Verdict
    let transaction: Transaction
    let refusedRecipients: [String]

    /// Our own Authentication-Results, which must be the topmost and the only one of our name.
    var results: AuthenticationResults? {
        let ours = transaction.message.header.all(AuthenticationResults.fieldName).compactMap { AuthenticationResults($0) }.filter { $0.isFrom(House.id) }
        return ours.count == 1 ? ours.first : nil
    }

    func result(_ method: String, _ property: String? = nil) -> String? {
        results?.results.first { $0.method == method && (property == nil || $0.properties.contains { "\($0.ptype).\($0.property)" == property }) }?.result
    }
}

/// A message and its envelope; honest unless told otherwise.
struct Letter {
    var client = "192.0.2.1"
    var helo = "mail.honest.example"
    var sender = "ann@honest.example"
    var recipients = ["bob@home.example"]
    var isOwn = false
    var header = "From: Ann <ann@honest.example>\r\nTo: bob@home.example\r\nSubject: Lunch\r\nMessage-ID: <1@honest.example>\r\n"
    var isSigned = false

    func message() throws -> Message {
        var message = Message(parsing: Array((header + "\r\nHello Bob\r\n").utf8))
        if isSigned { message.header.fields.insert(contentsOf: try DKIMSigner().sign(message, with: [try #require(House.key)], at: Date()), at: 0) }
        return message
    }
}
