import Foundation
import PostfixDoctor

/// Tries whether somebody takes a connection. Blocks, two seconds for each address at the most.
enum EndpointProbe {
    static func answers(_ endpoint: Endpoint) -> Bool {
        switch endpoint {
        case .unix(let path): return unix(path)
        case .inet(let host, let port): return inet(host, port)
        }
    }

    private static func unix(_ path: String) -> Bool {
        var address = sockaddr_un()
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { attempt(AF_UNIX, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }

    private static func inet(_ host: String, _ port: Int) -> Bool {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return false }
        defer { freeaddrinfo(list) }
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr, attempt(entry.pointee.ai_family, address, entry.pointee.ai_addrlen) { return true }
            next = entry.pointee.ai_next
        }
        return false
    }

    private static func attempt(_ family: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Bool {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        if connect(descriptor, address, length) == 0 { return true }
        guard errno == EINPROGRESS else { return false }
        var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&wait, 1, 2000) == 1 else { return false }
        var failure: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0
    }
}
