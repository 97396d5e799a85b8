import BlockingPool
import Foundation
import Logging
import Synchronization
import TLS

/// Takes up renewed certificates while the server runs: certbot's files are looked at every few seconds, and connections
/// that run keep the certificate they began with.
final class CertificateWatch: Sendable {
    /// Between two looks, each a few `stat` calls.
    static let interval = Duration.seconds(2)
    /// Time left of a certificate from which on each day has a warning.
    static let shortTime: Int64 = 10 * 86_400

    private let live: Live
    private let logger: Logger
    private let pool = BlockingPool(threads: 1, name: "certificates")
    private let task = Mutex<Task<Void, Never>?>(nil)
    private let memory = Mutex(Memory())

    private struct Memory {
        /// As they were at the last look, and as they were when they were last taken or refused.
        var seen: [FileStamp] = []
        var judged: [FileStamp] = []
        /// Seconds since 1970.
        var lastReminder: Int64 = 0
    }

    init(live: Live, logger: Logger) {
        self.live = live
        self.logger = logger
    }

    func start() {
        let stamps = Self.stamps(live.current)
        memory.withLock { ($0.seen, $0.judged) = (stamps, stamps) }
        let watch = Task(executorPreference: pool) { [self] in
            while !Task.isCancelled {
                remind()
                try? await Task.sleep(for: Self.interval)
                look()
            }
        }
        task.withLock { $0 = watch }
    }

    func stop() { task.withLock { $0?.cancel() } }

    private static func stamps(_ parts: LiveParts) -> [FileStamp] {
        CertificatePlan(parts.settings).watched.map { FileStamp($0) }
    }

    /// Blocks for the files; runs on the pool.
    func look() {
        let stamps = Self.stamps(live.current)
        let isDue = memory.withLock { memory in
            defer { memory.seen = stamps }
            // Half of a pair may have been written: it counts once it has stood for an interval.
            guard stamps != memory.judged, stamps == memory.seen else { return false }
            memory.judged = stamps
            return true
        }
        if isDue { take(stamps) }
    }

    private func take(_ stamps: [FileStamp]) {
        do {
            try live.reload { try $0.withCertificatesReadAgain() }
            let certificates = live.current.certificates
            for remark in certificates.remarks { logger.error("a renewed certificate is not taken", metadata: ["error": "\(remark)"]) }
            guard certificates.remarks.isEmpty else { return }
            let names = certificates.served.map { "\($0.facts.names.first ?? "") until \(LogTime.text($0.facts.notAfter))" }
            logger.notice("certificates read again", metadata: ["certificates": "\(names.joined(separator: ", "))"])
        } catch {
            logger.error("a renewed certificate is not taken: the one from before stays in use", metadata: ["error": "\(error)"])
        }
    }

    /// Each day, of those that end soon.
    private func remind() {
        let now = Int64(Date().timeIntervalSince1970)
        let isDue = memory.withLock { memory in
            guard now - memory.lastReminder >= 86_400 else { return false }
            memory.lastReminder = now
            return true
        }
        guard isDue else { return }
        for one in live.current.certificates.served {
            guard let end = one.facts.notAfter, end - now < Self.shortTime else { continue }
            logger.warning(end < now ? "a certificate has expired" : "a certificate expires soon", metadata: [
                "names": "\(one.facts.names.joined(separator: ", "))", "until": "\(LogTime.text(end))", "file": "\(one.paths.first ?? "none: made by postern")",
            ])
        }
    }
}

/// A moment as the log writes it.
enum LogTime {
    /// - Parameter seconds: since 1970; nil: `never`.
    static func text(_ seconds: Int64?) -> String {
        guard let seconds else { return "never" }
        return Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
    }
}
