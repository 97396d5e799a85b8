import Foundation
import NetworkAddress

/// The demo's ports: the customary ones plus an offset, or free ones where something else listens there.
struct LoopbackPorts: Sendable {
    let smtp: Int, submission: Int, submissions: Int, imap: Int, imaps: Int, milter: Int

    /// - Parameter base: added to 25, 587, 465, 143 and 993; the milter has 12301 whatever the base.
    static func choose(base: Int, hosts: [String]) -> LoopbackPorts {
        var taken: Set<Int> = []
        func pick(_ wanted: Int) -> Int {
            var port = wanted
            while taken.contains(port) || !hosts.allSatisfy({ isFree(port, host: $0) }) {
                port = port == wanted ? 20000 + wanted % 1000 : port + 1
                if port > 60000 { break }
            }
            taken.insert(port)
            return port
        }
        return LoopbackPorts(smtp: pick(base + 25), submission: pick(base + 587), submissions: pick(base + 465), imap: pick(base + 143),
                             imaps: pick(base + 993), milter: pick(12301))
    }

    private static func isFree(_ port: Int, host: String) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
    }
}
