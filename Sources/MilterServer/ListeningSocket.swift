import Foundation

/// The socket that libmilter listens on, which it keeps to itself.
enum ListeningSocket {
    /// Has the kernel send each packet of libmilter's at once.
    ///
    /// A change and the verdict after it are two small writes: by Nagle's algorithm (RFC 896) the second would wait until
    /// the MTA acknowledges the first, which it may put off for 40 ms. Linux hands TCP_NODELAY on from the socket that
    /// listens to those that are accepted.
    /// - Returns: whether the socket was found.
    @discardableResult
    static func sendAtOnce(port: UInt16) -> Bool {
        var found = false
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            guard let descriptor = Int32(name), Self.port(of: descriptor) == port else { continue }
            var on: Int32 = 1
            found = setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size)) == 0 || found
        }
        return found
    }

    /// The TCP port that a descriptor listens on; nil for everything else.
    private static func port(of descriptor: Int32) -> UInt16? {
        var listens: Int32 = 0, size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0, listens != 0 else { return nil }
        var address = sockaddr_storage(), length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &address) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard getsockname(descriptor, generic, &length) == 0 else { return nil }
                switch Int32(generic.pointee.sa_family) {
                case AF_INET: return storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { UInt16(bigEndian: $0.pointee.sin_port) }
                case AF_INET6: return storage.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { UInt16(bigEndian: $0.pointee.sin6_port) }
                default: return nil
                }
            }
        }
    }
}
