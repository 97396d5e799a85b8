import BlockingPool
import DKIM
import DNS
import HTTPSClient
import NameServers
import NetworkAddress
import PublishedRecords
import TLS

/// What `postern dns check` looks at.
public struct DNSCheckup: Sendable {
    /// Where to look and how far to go.
    public struct Options: Sendable {
        /// Connections to strangers: port 25, web server, block lists, our own public ports.
        public var usesNetwork = true
        public var blocklists: [DomainName] = []
        /// Whose MX hosts port 25 is tried with.
        public var portDomain: DomainName?
        /// Of other domains' mail servers; anything but 25 is for tests.
        public var smtpPort: UInt16 = 25
        /// Whose certificates are believed.
        public var trust = TLSTrust.system
        /// For one connection.
        public var connectionTime: Duration = .seconds(10)
        public init() {}
    }

    let plan: RecordPlan
    /// Keys that sign, for a test signature.
    let signingKeys: [SigningKey]
    public let view: AuthorityView
    let pool: BlockingPool
    public var https: HTTPSClient?
    public let options: Options
    /// Seconds since 1970.
    let now: @Sendable () -> Int64

    /// - Parameter https: fetches MTA-STS policies; nil: nobody does.
    public init(_ plan: RecordPlan, signingKeys: [SigningKey], view: AuthorityView, pool: BlockingPool, https: HTTPSClient?, options: Options,
                now: @escaping @Sendable () -> Int64) {
        self.plan = plan
        self.signingKeys = signingKeys
        self.view = view
        self.pool = pool
        self.https = https
        self.options = options
        self.now = now
    }

    var look: RecordLook { RecordLook(view: view) }
    var setup: MailSetup { plan.setup }

    /// In the order of the report.
    public func checks(only: DomainName? = nil) -> [CheckTask] {
        let domains = setup.domains.filter { only == nil || $0 == only }
        return zoneChecks(domains) + hostChecks() + domains.flatMap { domainChecks($0) } + reachChecks()
    }

    private func hostChecks() -> [CheckTask] {
        var out = [CheckTask("addresses of \(setup.hostname)", .receiving) { await addresses() }]
        out += setup.sources.map { address in CheckTask("name of \(address)", .sending) { [await reverseName(address)] } }
        out += plan.records.filter { $0.purpose == .spf && $0.domain == nil }.map { record in CheckTask("SPF of \(record.name)", .sending) { await senderPolicy(record) } }
        if setup.certificateKeyDigest != nil { out.append(CheckTask("TLSA of \(setup.hostname)", .receiving) { [await tlsa()] }) }
        return out
    }

    private func domainChecks(_ domain: DomainName) -> [CheckTask] {
        let records = plan.records.filter { $0.domain == domain }
        return records.compactMap { record -> CheckTask? in
            switch record.purpose {
            case .mx: CheckTask("MX of \(domain)", .receiving) { await exchanges(record, domain) }
            case .spf: CheckTask("SPF of \(domain)", .sending) { await senderPolicy(record) }
            case .dkim: CheckTask("DKIM key \(record.name)", .sending) { [await key(record)] }
            case .dmarc: CheckTask("DMARC of \(domain)", .sending) { await dmarc(record, domain) }
            case .sts: CheckTask("MTA-STS of \(domain)", .receiving) { await transportPolicy(record, domain) }
            case .stsHost: CheckTask("\(record.name)", .receiving) { [await policyHost(record)] }
            case .tlsReport: CheckTask("TLS reports of \(domain)", .minor) { [await tlsReports(record)] }
            case .service: CheckTask("\(record.name)", .minor) { [await service(record)] }
            case .address, .reverse, .tlsa: nil
            }
        } + [CheckTask("signature for \(domain)", .sending) { await signature(domain) }]
    }
}
