import Foundation
import Logging
import UnixSignals

/// `postern serve`: a gateway under the signals of its process.
public struct GatewayProcess: Sendable {
    private let configurationFile: String
    private let settings: Settings
    private let logThreshold: LogThreshold?
    private let logger = Logger(label: "postern")

    /// - Parameter logThreshold: moved by a reload with another `log_level`.
    public init(configurationFile: String, settings: Settings, logThreshold: LogThreshold? = nil) {
        self.configurationFile = configurationFile
        self.settings = settings
        self.logThreshold = logThreshold
    }

    /// Runs until SIGTERM or SIGINT; SIGHUP reloads.
    /// - Throws: what keeps it from starting, in words for an operator.
    public func run() async throws {
        // A peer that goes away is an error of write(), not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let gateway = try Gateway(settings, logger: logger)
        try await gateway.start()
        logger.notice("ready", metadata: ["version": "\(Version.text)", "listeners": "\(gateway.listeners.joined(separator: ", "))"])
        for await signal in signals {
            guard signal != .sighup else {
                reload(gateway)
                continue
            }
            logger.notice("stopping", metadata: ["signal": "\(signal)"])
            break
        }
        await gateway.stop()
        logger.notice("stopped")
    }

    private func reload(_ gateway: Gateway) {
        do {
            let fresh = try SettingsFile.load(configurationFile)
            try gateway.reload(fresh)
            logThreshold?.set(fresh[Known.logLevel].word)
            logger.notice("reloaded", metadata: ["file": "\(configurationFile)"])
        } catch {
            logger.error("reload refused: the settings, rules, keys and certificate from before stay in force", metadata: ["error": "\(error)"])
        }
    }
}

public enum Version { public static let text = "0.1.0" }
