import DKIM
import DMARC
import DNS
import InternetMessage
import Milter
import NetworkAddress
import SPF

/// The client's reverse name, SPF, DKIM and DMARC of arriving mail. Our own users' mail is not asked for: they logged in.
public struct AuthenticationFilter: MailFilter {
    public let name = "authentication"
    public let stages: Set<MilterStage> = [.endOfMessage]
    public let changes: Set<Modification.Kind> = []
    fileprivate let spf: SPFEvaluator
    fileprivate let dkim: DKIMVerifier
    fileprivate let dmarc: DMARCEvaluator
    fileprivate let resolver: any Resolver

    /// - Parameter resolver: for the reverse name, where the front end found none.
    public init(resolver: any Resolver, spf: SPFEvaluator, dkim: DKIMVerifier, dmarc: DMARCEvaluator) {
        self.resolver = resolver
        self.spf = spf
        self.dkim = dkim
        self.dmarc = dmarc
    }

    public func makeSession() -> any FilterSession { AuthenticationSession(self) }
}

/// One connection's checks. The client and its HELO name stay while messages change, so theirs is checked once.
private struct AuthenticationSession: FilterSession {
    private let filter: AuthenticationFilter
    private let heloCheck = HeloCheck()

    init(_ filter: AuthenticationFilter) { self.filter = filter }

    func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        guard !transaction.connection.isOriginating else { return .continue }
        let (message, connection, helo, sender) = (transaction.message, transaction.connection, transaction.helo, transaction.sender.address)
        let (reverseName, (spf, signatures)) = await together({ await checkReverseName(connection) }) {
            await together({ await checkSPF(connection.clientAddress, helo, sender) }) { await filter.dkim.verify(message) }
        }
        transaction[ReverseNameKey.self] = reverseName
        transaction[SPFKey.self] = spf
        transaction[DKIMKey.self] = signatures
        transaction[DMARCKey.self] = await filter.dmarc.evaluate(
            fromFields: message.header.all("From"),
            spf: spf?.mailFrom.flatMap { $0.verdict == .pass ? $0.domain : nil },
            dkim: signatures.filter(\.countsForDMARC).compactMap(\.domain),
            undecided: undecided(spf, signatures))
        return .continue
    }

    /// Domains that could not be decided for want of DNS: they may still have been good (RFC 9989 §5.3.6).
    private func undecided(_ spf: SPFResults?, _ signatures: [DKIMSignatureResult]) -> [DomainName] {
        let ofSPF = spf?.mailFrom.flatMap { $0.verdict == .temperror ? $0.domain : nil }
        return [ofSPF].compactMap { $0 } + signatures.filter { $0.verdict == .temperror }.compactMap(\.domain)
    }

    /// A name that the front end knows was verified by it; without one, why there is none is asked for.
    private func checkReverseName(_ connection: ConnectionFacts) async -> ReverseNameCheck? {
        guard let client = connection.clientAddress else { return nil }
        if let name = connection.clientName.flatMap({ DomainName($0) }) {
            return ReverseNameCheck(address: client.unmapped, verdict: .pass, name: name, reason: "\(client.unmapped) is \(name)")
        }
        return await ReverseNameCheck.run(client, filter.resolver)
    }

    private func checkSPF(_ client: IPAddress?, _ helo: String, _ sender: EmailAddress?) async -> SPFResults? {
        guard let client else { return nil }
        let known = heloCheck.result(client, helo)
        // The null sender has the HELO name for its identity (RFC 7208 §2.4): one check says both.
        guard let sender else {
            let ofHelo = if let known { known } else { await checkHelo(client, helo) }
            return SPFResults(helo: ofHelo, mailFrom: ofHelo)
        }
        if let known { return SPFResults(helo: known, mailFrom: await filter.spf.check(client: client, helo: helo, sender: sender)) }
        let (ofHelo, ofSender) = await together({ await checkHelo(client, helo) }) {
            await filter.spf.check(client: client, helo: helo, sender: sender)
        }
        return SPFResults(helo: ofHelo, mailFrom: ofSender)
    }

    private func checkHelo(_ client: IPAddress, _ helo: String) async -> SPFResult {
        let result = await filter.spf.checkHelo(client: client, helo: helo)
        heloCheck.note(result, client, helo)
        return result
    }
}
