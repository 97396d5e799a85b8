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
        // Everybody may walk through the data folder to the maildrop: what is made there is closed unless it says otherwise.
        umask(0o077)
        FreedMemory.limitArenas(processors: ProcessInfo.processInfo.activeProcessorCount)
        DescriptorLimit.raise(forConnections: DescriptorLimit.connections(settings), logger: logger)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let gateway = try Gateway(settings, logger: logger, origin: SettingsOrigin(file: configurationFile), problems: logThreshold?.problems)
        try await gateway.start()
        logger.notice("ready", metadata: ["version": "\(Version.text)", "listeners": "\(gateway.listeners.joined(separator: ", "))"])
        let manager = ServiceManager()
        manager.ready()
        let watch = Task { await manager.watch() }
        let memory = Task { await FreedMemory.giveBack() }
        defer {
            watch.cancel()
            memory.cancel()
        }
        for await signal in signals {
            guard signal != .sighup else {
                manager.reloading()
                reload(gateway)
                manager.ready()
                continue
            }
            logger.notice("stopping", metadata: ["signal": "\(signal)"])
            manager.stopping()
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
