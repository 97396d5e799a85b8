import BlockingPool
import Control
import Foundation

/// How a running gateway is, for `postern status`. Times are ISO 8601.
public struct StatusReport: Sendable, Codable {
    public var version: String
    public var pid: Int
    public var started: String
    /// Seconds.
    public var uptime: Int
    public var settingsFile: String
    public var settingsLoaded: String
    /// `smtp 0.0.0.0:25`
    public var listeners: [String]
    public var queueMessages: Int
    public var queueHeld: Int
    /// Seconds.
    public var queueOldest: Int
    public var certificates: [Certificate]
    public var acme: ACMEAccess.Status?
    /// The last warnings and errors, the newest last.
    public var problems: [RecentProblems.Problem]
    /// Why mail cannot be taken; nil: it can.
    public var notReady: String?

    public struct Certificate: Sendable, Codable {
        public var names: [String]
        /// For which names it is chosen; nil: for all others.
        public var servedFor: String?
        public var until: String
        public var issuer: String
        /// nil: made by postern.
        public var file: String?
    }
}

/// Asks the running server how it is.
public enum StatusAccess {
    static let command = "status"

    /// - Returns: nil when no server runs.
    /// - Throws: what went wrong in asking.
    public static func ask(_ settings: Settings) async throws -> StatusReport? {
        let path = ControlWiring.path(settings)
        return try await BlockingPool(threads: 1, name: "status").run {
            var found: StatusReport?
            _ = try ControlClient(path: path, patience: 20).ask(command, true, as: StatusReport.self) { found = $0 }
            return found
        }
    }
}

extension Vitals {
    /// Blocks.
    func report(listeners: [String], facts: GatewayFacts) -> StatusReport {
        let figures = queueFigures(), parts = live.current, origin = facts.origin
        return StatusReport(
            version: Version.text, pid: Int(getpid()), started: started.formatted(.iso8601), uptime: Int(Date().timeIntervalSince(started)),
            settingsFile: origin.file, settingsLoaded: origin.loaded.formatted(.iso8601), listeners: listeners, queueMessages: figures.count, queueHeld: figures.held,
            queueOldest: Int(figures.oldest),
            certificates: parts.certificates.served.map {
                .init(names: $0.facts.names, servedFor: $0.name, until: LogTime.text($0.facts.notAfter), issuer: $0.facts.issuer, file: $0.paths.first)
            },
            acme: parts.settings[Known.acme] ? (try? ACMEAccess(parts.settings).status()) : nil, problems: facts.problems?.all ?? [], notReady: problem())
    }
}

/// Where the settings in force came from.
public struct SettingsOrigin: Sendable {
    public var file: String
    public var loaded: Date

    public init(file: String = "", loaded: Date = Date()) {
        self.file = file
        self.loaded = loaded
    }
}
