import ArgumentParser
import BlockingPool
import Checkup
import DKIM
import DKIMKeys
import DNS
import Diagnostics
import Foundation
import HTTPSClient
import NIOPosix
import NameServers
import NetworkAddress
import PosternDaemon
import PublishedRecords
import TLS
import UnboundResolver

/// How far a check-up of the DNS goes, and whom it asks.
struct CheckupOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Ask this server alone, by address (192.0.2.1, 127.0.0.1@5353), instead of the zones' own name servers.", valueName: "address[@port]"),
            transform: {
                guard let address = ResolverAddress($0) else { throw ValidationError("'\($0)' is not an address, with a port if need be: 192.0.2.1 or 127.0.0.1@5353") }
                return address
            })
    var resolver: ResolverAddress?
    @Flag(name: .customLong("no-network"), help: "Connect to nobody but name servers: no block lists, no port 25, no web server, no certificates of our public ports.")
    var noNetwork = false
    @Option(help: "Seconds that all checks together may take; what has not answered by then is unknown.") var timeout = 30.0
    @Option(help: ArgumentHelp("Port of the authoritative name servers. Anything but 53 is for tests.", visibility: .hidden)) var nameServerPort: UInt16 = 53

    func validate() throws {
        guard timeout > 0, timeout <= 3600 else { throw ValidationError("--timeout must be more than 0 and at most 3600 seconds") }
    }

    /// Runs the checks that `choose` makes of a check-up and the ports that show certificates.
    /// - Parameter problems: what kept the facts from being complete; each becomes a finding.
    func run(_ settings: Settings, _ setup: MailSetup, problems: [String],
             _ choose: (DNSCheckup, [CertificatePort]) async throws -> [CheckTask]) async throws -> CheckReport {
        // A server that hangs up is an error of write(), not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        let unbound = try resolver.map { try UnboundResolver(configuration: UnboundConfiguration(forwarders: [$0.forwarder], timeout: .seconds(8))) }
            ?? ResolverSettings.resolver(settings)
        defer { unbound.close() }
        let pool = BlockingPool(threads: 32, name: "check")
        let asking = resolver == nil ? NameServerClient(port: nameServerPort, timeout: .seconds(2), pool: pool) : nil
        let view = AuthorityView(resolver: CachingResolver(unbound), nameServers: asking)
        var checkup = try checkup(settings, setup, view, pool)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let authorities = settings[Known.smtpTLSCAFile].path
        let context = try TLSContext.client(trust: authorities.isEmpty ? .system : .file(authorities))
        checkup.https = HTTPSClient(resolver: view, group: group, context: context, limits: Self.limits)
        let line = CheckProgressLine()
        var checks = problems.map { problem in CheckTask("settings") { [CheckFinding("settings", "keys and certificate", .wrong, .safety, problem)] } }
        checks += try await choose(checkup, Self.ports(settings))
        let report = await CheckRun(checks, limit: .milliseconds(Int(timeout * 1000))) { line.show($0) }.run()
        line.clear()
        try? await group.shutdownGracefully()
        return report
    }

    private static var limits: HTTPSClient.Limits {
        var limits = HTTPSClient.Limits()
        limits.time = .seconds(10)
        return limits
    }

    private func checkup(_ settings: Settings, _ setup: MailSetup, _ view: AuthorityView, _ pool: BlockingPool) throws -> DNSCheckup {
        var options = DNSCheckup.Options()
        options.usesNetwork = !noNetwork
        options.blocklists = settings[Known.checkBlocklists]
        options.portDomain = settings[Known.checkPortDomain]
        options.smtpPort = UInt16(clamping: settings[Known.smtpPort])
        let authorities = settings[Known.smtpTLSCAFile].path
        if !authorities.isEmpty { options.trust = .file(authorities) }
        return DNSCheckup(RecordPlan(setup), signingKeys: Self.signingKeys(settings), view: view, pool: pool, https: nil, options: options,
                          now: { Int64(Date().timeIntervalSince1970) })
    }

    /// Those that can be read; what cannot is told by its own check.
    private static func signingKeys(_ settings: Settings) -> [SigningKey] {
        let named = settings[Known.dkimKeys].compactMap { try? SigningKey(pemFile: $0.keyFile.path, domain: $0.domain, selector: $0.selector) }
        return named + ((try? KeyStore(folder: settings.dkimKeyFolder).signingEntries()) ?? []).map(\.key)
    }

    /// The ports that the settings listen on where there is a certificate to show.
    static func ports(_ settings: Settings, includingLoopback: Bool = false) -> [CertificatePort] {
        guard settings.hasCertificate else { return [] }
        let all: [(String, [ListenAddress], TLSGreeting)] = [
            ("smtp", settings[Known.listenSMTP], .smtp), ("submission", settings[Known.listenSubmission], .smtp), ("submissions", settings[Known.listenSubmissions], .implicit),
            ("imap", settings[Known.listenIMAP], .imap), ("imaps", settings[Known.listenIMAPS], .implicit),
        ]
        return all.compactMap { name, listeners, greeting in
            listeners.first { includingLoopback || $0.host?.isLoopback != true }.map { CertificatePort(name: name, port: UInt16(clamping: $0.port), greeting: greeting) }
        }
    }
}
