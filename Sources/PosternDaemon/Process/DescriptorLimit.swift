import Foundation
import Logging

/// How many files and connections the process may have open (RLIMIT_NOFILE).
enum DescriptorLimit {
    /// What the process needs beside its connections: files, databases, listeners.
    private static let others = 512

    /// Raises the soft limit as far as the hard one allows, and says when that is less than the connection limits need.
    /// - Parameter connections: all listeners' limits together.
    static func raise(forConnections connections: Int, logger: Logger) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit)
        let wanted = connections + others
        guard limit.rlim_max != rlim_t.max, wanted > Int(clamping: limit.rlim_max) else { return }
        logger.warning("too few files may be open at once for the connection limits: raise LimitNOFILE of the service, or lower imap_connection_limit and smtpd_connection_limit", metadata: [
            "allowed": "\(limit.rlim_max)", "wanted": "\(wanted)",
        ])
    }

    /// - Returns: all connections that the settings allow at once, as far as they have a limit.
    static func connections(_ settings: Settings) -> Int { settings[Known.imapConnectionLimit] + settings[Known.connectionLimit] }
}
