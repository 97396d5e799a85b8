import Foundation
import NIOCore
import NIOPosix

/// A UNIX-domain socket to listen on: its path, and who may connect.
public struct UnixSocket: Sendable, Hashable {
    public let path: String
    /// Permission bits; connecting needs the right to write (unix(7)).
    public var mode: mode_t
    /// The group the socket is given to; nil leaves ours.
    public var group: gid_t?

    /// sockaddr_un holds 108 octets with the final NUL (unix(7)).
    public static let longestPath = 107

    /// - Throws: ``UnixSocketError/badPath(_:)``.
    public init(_ path: String, mode: mode_t = 0o660, group: gid_t? = nil) throws(UnixSocketError) {
        guard path.hasPrefix("/"), path.utf8.count <= Self.longestPath, !path.utf8.contains(0), !path.hasSuffix("/") else { throw .badPath(path) }
        self.path = path
        self.mode = mode
        self.group = group
    }

    /// Listens. The socket appears under its name complete, with its mode and group, so that no client meets it half made;
    /// one that a program left behind is replaced, one that answers is not. Makes a few system calls that do not wait.
    /// - Throws: ``UnixSocketError``, or what NIO says of the bind.
    public func bind(_ bootstrap: ServerBootstrap) async throws -> any Channel {
        try removeIfStale()
        let temporary = temporaryPath
        unlink(temporary)
        let channel: any Channel
        do { channel = try await bootstrap.bind(unixDomainSocketPath: temporary).get() } catch {
            throw (error as? IOError).map { UnixSocketError.cannotListen(path, $0.errnoCode) } ?? error
        }
        do { try publish(temporary) } catch {
            unlink(temporary)
            try? await channel.close()
            throw error
        }
        return channel
    }

    /// Takes the name away, if it is still the socket that this program made. Fails silently where the user that we became
    /// may not: the next start replaces it.
    public func remove() {
        guard Self.answer(path) == ECONNREFUSED else { return }
        unlink(path)
    }

    /// In the same folder, so that rename(2) can put it in place, and not longer than any path may be.
    private var temporaryPath: String {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let name = folder + "/.s\(getpid())"
        return name.utf8.count <= Self.longestPath ? name : path + "~"
    }

    private func publish(_ temporary: String) throws(UnixSocketError) {
        guard chmod(temporary, mode) == 0 else { throw .cannotListen(path, errno) }
        if let group, chown(temporary, uid_t.max, group) != 0 { throw .cannotGive(path, errno) }
        guard rename(temporary, path) == 0 else { throw .cannotListen(path, errno) }
    }

    private func removeIfStale() throws(UnixSocketError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path) }
        // Only nobody at the other end proves that it is stale; rename(2) then replaces it.
        guard Self.answer(path) == ECONNREFUSED else { throw .inUse(path) }
    }

    /// Tries to connect: 0 when somebody answers, else errno.
    static func answer(_ path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        // A full backlog must not hold us up: not blocking, it says EAGAIN.
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 ? 0 : errno
            }
        }
    }
}

/// Why a UNIX socket cannot be listened on.
public enum UnixSocketError: Error, Sendable, Hashable, CustomStringConvertible {
    case badPath(String)
    case notASocket(String)
    case inUse(String)
    case cannotGive(String, Int32)
    case cannotListen(String, Int32)

    public var description: String {
        switch self {
        case .badPath(let path): "'\(path)' cannot be a socket: an absolute path of at most \(UnixSocket.longestPath) octets is needed"
        case .notASocket(let path): "\(path) is there and is no socket; it is left alone: remove it, or choose another path"
        case .inUse(let path): "\(path): another program listens on this socket; stop it, or choose another path"
        case .cannotGive(let path, let code): "\(path) cannot be given to its group: \(String(cString: strerror(code)))"
        case .cannotListen(let path, ENOENT): "\(path): the folder does not exist; make it first"
        case .cannotListen(let path, EACCES): "\(path): this user may not make a socket in that folder"
        case .cannotListen(let path, let code): "\(path): \(String(cString: strerror(code)))"
        }
    }
}
