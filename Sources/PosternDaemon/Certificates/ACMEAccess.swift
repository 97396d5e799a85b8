import ACME
import BlockingPool
import Control
import Foundation
import Logging
import NIOPosix
import TLS

/// `postern acme`: through the server while one runs, else with listeners of its own for the time of the challenge.
public struct ACMEAccess: Sendable {
    /// Answers with lines of text; the last says what was obtained.
    static let command = "acme.issue"

    private let settings: Settings
    private let isTrial: Bool

    /// - Parameter isTrial: at Let's Encrypt's staging authority, with nothing kept.
    public init(_ settings: Settings, isTrial: Bool = false) {
        self.isTrial = isTrial
        var settings = settings
        if isTrial { settings[Known.acmeDirectory] = ACMEDirectory.staging }
        self.settings = settings
    }

    /// Obtains a certificate.
    /// - Parameter told: what is being done.
    /// - Returns: what was obtained, in words.
    /// - Throws: what kept it from being obtained.
    public func issue(_ told: @escaping @Sendable (String) -> Void) async throws -> String {
        let pool = BlockingPool(threads: 4, name: "acme")
        let client = ControlClient(path: ControlWiring.path(settings), patience: 660)
        let isAnswered = try await pool.run { [isTrial] in try client.ask(Self.command, isTrial, as: String.self) { told($0) } }
        if isAnswered { return isTrial ? "the staging authority issues a certificate for this machine" : "obtained; the server takes it up by itself" }
        return try await alone(pool, told)
    }

    private func alone(_ pool: BlockingPool, _ told: @escaping @Sendable (String) -> Void) async throws -> String {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let challenges = Challenges()
        let isHTTP = settings[Known.acmeChallenge].word == .http01
        let listeners = WebListeners(settings, live: nil, challenges: challenges, group: group, needsHTTP: isHTTP, needsHTTPS: !isHTTP)
        _ = try await listeners.bind()
        // With the ports in hand the process becomes `user`: what it writes must be the server's to read.
        let data = try LiveParts.enterDataFolder(settings)
        try await listeners.accept()
        let resolver = try ResolverSettings.resolver(settings)
        defer { resolver.close() }
        var quiet = Logger(label: "acme")
        quiet.logLevel = .critical
        let desk = try ACMEDesk(settings, isTrial: isTrial, resolver: resolver, group: group, presenter: challenges, pool: pool, logger: quiet)
        let result: Result<CertificateFacts, any Error>
        do { result = .success(try await desk.attempt { told($0) }) } catch { result = .failure(error) }
        await listeners.stop()
        try? await group.shutdownGracefully()
        let facts = try result.get()
        if isTrial { return "the staging authority issues a certificate for this machine" }
        return "\(data)/acme/certificate.pem: for \(facts.names.joined(separator: ", ")), until \(LogTime.text(facts.notAfter))"
    }

    /// Blocks.
    public func isDue() throws -> Bool {
        ACMEDesk.due(ACMEStore(settings), settings) <= ACMEDesk.now
    }

    /// The certificate and the attempts. Times are ISO 8601.
    public struct Status: Sendable, Codable {
        public var directory: String
        /// What is asked for.
        public var names: [String]
        /// What the certificate that is there is for; nil: there is none.
        public var issued: [String]?
        public var issuer: String?
        public var until: String?
        /// When the next attempt is due.
        public var next: String
        public var failures: Int
        public var lastError: String?

        public var text: String {
            var rows = [("authority", directory), ("names", names.joined(separator: ", ")), ("certificate", issued?.joined(separator: ", ") ?? "none yet")]
            if let issuer, let until { rows += [("issuer", issuer), ("until", until)] }
            rows.append(("next attempt", next))
            if failures > 0 { rows += [("failures", "\(failures) in a row"), ("last error", lastError ?? "")] }
            return rows.map { $0.0.padding(toLength: 14, withPad: " ", startingAt: 0) + $0.1 }.joined(separator: "\n")
        }
    }

    /// Blocks.
    public func status() throws -> Status {
        let store = ACMEStore(settings), order = settings.acmeOrder, state = store.state()
        let facts = store.certificate(), due = ACMEDesk.due(store, settings)
        return Status(directory: order.directory, names: order.names, issued: facts?.names, issuer: facts?.issuer, until: facts.map { LogTime.text($0.notAfter) },
                      next: due <= ACMEDesk.now ? "now" : LogTime.text(due), failures: state.failures, lastError: state.failures > 0 ? state.lastError : nil)
    }
}
