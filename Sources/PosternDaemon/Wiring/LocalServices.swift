import Accounts
import DovecotAuth
import Foundation
import LocalSocket
import Logging
import NIOCore
import SMTPServer

/// The servers for an MTA on this machine, from the settings: LMTP, and Dovecot's authentication protocol.
enum LocalServices {
    /// - Throws: what is wrong with a socket's path or group, in words for an operator.
    static func lmtp(_ settings: Settings) throws -> [SMTPListener] {
        try settings[Known.listenLMTP].map { socket in
            switch socket {
            case .unix(let path): .lmtp(try unix(path, settings))
            case .inet(let address): .lmtp(host: address.host?.description ?? "::", port: address.port)
            }
        }
    }

    static func auth(_ settings: Settings, accounts: AccountStore, group: any EventLoopGroup, logger: Logger) throws -> DovecotAuthServer? {
        let sockets = settings[Known.listenDovecotAuth]
        guard !sockets.isEmpty else { return nil }
        let listeners = try sockets.map { socket -> AuthListener in
            switch socket {
            case .unix(let path): .unix(try unix(path, settings))
            case .inet(let address): .tcp(host: address.host?.description ?? "::", port: address.port)
            }
        }
        return DovecotAuthServer(configuration: .init(listeners: listeners), authenticator: accounts, group: group, logger: logger)
    }

    /// The group of every UNIX socket of ours; nil: our own. Blocks for the system's group database.
    static func socketGroup(_ settings: Settings) throws -> gid_t? { try groupID(settings[Known.unixSocketGroup]) }

    private static func unix(_ path: String, _ settings: Settings) throws -> UnixSocket {
        try UnixSocket(path, mode: mode_t(settings[Known.unixSocketMode].bits), group: try socketGroup(settings))
    }

    private static func groupID(_ name: String) throws -> gid_t? {
        guard !name.isEmpty else { return nil }
        var record = group()
        var buffer = [CChar](repeating: 0, count: 65536)
        var found: UnsafeMutablePointer<group>?
        guard getgrnam_r(name, &record, &buffer, buffer.count, &found) == 0, found != nil else {
            throw Privileges.Failure(description: "unix_socket_group = \"\(name)\": there is no such group; name the one that your MTA runs in, or \"\" for our own")
        }
        return record.gr_gid
    }
}

extension AuthListener {
    /// nil for a UNIX socket.
    var port: Int? {
        if case .tcp(_, let port) = self { port } else { nil }
    }
}
