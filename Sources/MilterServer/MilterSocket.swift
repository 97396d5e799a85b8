import Foundation
import NetworkAddress

/// A milter socket specification, read from libmilter's syntax or Postfix's.
enum MilterSocket: Equatable {
    case inet(host: String?, port: UInt16)
    case inet6(host: String?, port: UInt16)
    case unix(path: String)

    /// Reads `inet:PORT[@HOST]`, `inet6:PORT[@HOST]`, `inet:HOST:PORT`, `inet:[V6]:PORT`, `unix:PATH`, `local:PATH`
    /// or `/PATH`.
    /// - Throws: ``MilterServerError/badSocket(_:reason:)``.
    init(_ spec: String) throws {
        if spec.hasPrefix("/") {
            self = try Self.unixSocket(spec, spec)
            return
        }
        guard let colon = spec.firstIndex(of: ":") else { throw MilterServerError.badSocket(spec, reason: "no 'inet:' or 'unix:' before it") }
        let rest = String(spec[spec.index(after: colon)...])
        switch spec[..<colon] {
        case "unix", "local": self = try Self.unixSocket(rest, spec)
        case "inet": self = try Self.network(rest, spec, v6: false)
        case "inet6": self = try Self.network(rest, spec, v6: true)
        case let kind: throw MilterServerError.badSocket(spec, reason: "unknown kind '\(kind)'")
        }
    }

    private static func unixSocket(_ path: String, _ spec: String) throws -> MilterSocket {
        guard path.hasPrefix("/") else { throw MilterServerError.badSocket(spec, reason: "the path is not absolute") }
        // sockaddr_un holds 108 octets with the final NUL (unix(7)).
        guard path.utf8.count < 108 else { throw MilterServerError.badSocket(spec, reason: "the path is longer than 107 octets") }
        return .unix(path: path)
    }

    private static func network(_ rest: String, _ spec: String, v6: Bool) throws -> MilterSocket {
        let port: Substring, host: String?
        if let at = rest.firstIndex(of: "@") {
            (port, host) = (rest[..<at], String(rest[rest.index(after: at)...]))
        } else if let colon = rest.lastIndex(of: ":") {
            (port, host) = (rest[rest.index(after: colon)...], String(rest[..<colon]))
        } else {
            (port, host) = (rest[...], nil)
        }
        guard let number = UInt16(port), number > 0 else {
            throw MilterServerError.badSocket(spec, reason: "'\(port)' is not a port from 1 to 65535")
        }
        guard let host else { return v6 ? .inet6(host: nil, port: number) : .inet(host: nil, port: number) }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        guard !bare.isEmpty else { throw MilterServerError.badSocket(spec, reason: "the host is empty") }
        let isV6 = v6 || IPAddress(bare)?.family == .v6
        return isV6 ? .inet6(host: bare, port: number) : .inet(host: bare, port: number)
    }

    /// libmilter's own syntax.
    var libmilterText: String {
        switch self {
        case .inet(let host, let port): "inet:\(port)" + (host.map { "@" + $0 } ?? "")
        case .inet6(let host, let port): "inet6:\(port)" + (host.map { "@" + $0 } ?? "")
        case .unix(let path): "unix:" + path
        }
    }

    /// The TCP port; nil of a UNIX socket.
    var port: UInt16? {
        switch self {
        case .inet(_, let port), .inet6(_, let port): port
        case .unix: nil
        }
    }

    /// Gives a UNIX socket its group and mode, which libmilter leaves to the umask.
    /// - Returns: what went wrong, in words.
    func open(to group: gid_t?, mode: mode_t) -> String? {
        guard case .unix(let path) = self else { return nil }
        if let group, chown(path, uid_t.max, group) != 0 { return "it cannot be given to its group: \(String(cString: strerror(errno)))" }
        return chmod(path, mode) == 0 ? nil : String(cString: strerror(errno))
    }

    /// Takes a UNIX socket's name away. Fails silently where the user that we became may not: the next start replaces it.
    func remove() {
        if case .unix(let path) = self { unlink(path) }
    }

    /// Removes a UNIX socket that nobody listens on any more: libmilter would take it for a running server. Blocks
    /// for one local connection attempt.
    func removeIfStale() {
        guard case .unix(let path) = self else { return }
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        if Self.attempt(self, connect) == ECONNREFUSED { unlink(path) }
    }

    /// Connects and hangs up. Blocks for a host look-up.
    func knock() { _ = Self.attempt(self, connect) }

    /// Why binding fails, in words; libmilter itself tells only syslog. Blocks for a host look-up.
    func bindFailure() -> String {
        switch Self.attempt(self, bind) {
        case EADDRINUSE: "the address is in use; stop the program that holds it (ss -ltnp shows it) or choose another"
        case EACCES: "permission denied; choose a port above 1023 or a folder this user may write"
        case ENOENT: "the folder does not exist; create it first"
        case EADDRNOTAVAIL: "the address is not one of this machine's"
        case -1: "the host name is not known"
        case 0: "libmilter gave no reason; see the system log"
        case let code: String(cString: strerror(code))
        }
    }

    /// Runs `bind` or `connect` on a socket of its own.
    /// - Returns: 0, errno, or -1 when the host name is not known.
    private static func attempt(_ socket: MilterSocket, _ call: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32) -> Int32 {
        switch socket {
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
            let code = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { trial(AF_UNIX, $0, socklen_t(MemoryLayout<sockaddr_un>.size), call) }
            }
            return code
        case .inet(let host, let port): return resolved(host ?? "0.0.0.0", port, AF_INET, call)
        case .inet6(let host, let port): return resolved(host ?? "::", port, AF_INET6, call)
        }
    }

    private static func resolved(_ host: String, _ port: UInt16, _ family: Int32,
                                 _ call: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32) -> Int32 {
        var hints = addrinfo()
        hints.ai_family = family
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let first = list else { return -1 }
        defer { freeaddrinfo(first) }
        return trial(family, first.pointee.ai_addr, first.pointee.ai_addrlen, call)
    }

    private static func trial(_ family: Int32, _ address: UnsafePointer<sockaddr>?, _ length: socklen_t,
                              _ call: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32) -> Int32 {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var yes: Int32 = 1
        // As libmilter does, so that an address in TIME_WAIT is not called busy.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        return call(descriptor, address, length) == 0 ? 0 : errno
    }
}
