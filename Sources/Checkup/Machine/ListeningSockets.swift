import Foundation
import NetworkAddress

/// The TCP sockets that somebody listens on, and who, from /proc. Blocks.
public struct ListeningSockets: Sendable {
    public struct Socket: Sendable, Hashable {
        /// nil: every address.
        public let address: IPAddress?
        public let port: UInt16
        let inode: UInt64
    }

    public let sockets: [Socket]

    public init() {
        sockets = [("/proc/net/tcp", 4), ("/proc/net/tcp6", 16)].flatMap { path, width in
            ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n").dropFirst().compactMap { Self.parse($0, width: width) }
        }
    }

    /// A line of proc(5): `sl local_address rem_address st …`, addresses in hexadecimal words of the machine's order.
    static func parse(_ line: Substring, width: Int) -> Socket? {
        let fields = line.split(separator: " ")
        guard fields.count > 9, fields[3] == "0A", let inode = UInt64(fields[9]) else { return nil }
        let parts = fields[1].split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1], radix: 16), let octets = octets(parts[0]), octets.count == width else { return nil }
        let address = IPAddress(octets: octets)
        return Socket(address: octets.allSatisfy { $0 == 0 } ? nil : address, port: port, inode: inode)
    }

    private static func octets(_ text: Substring) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 8 == 0 else { return nil }
        var out: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 8) {
            guard let word = UInt32(String(decoding: digits[start..<(start + 8)], as: UTF8.self), radix: 16) else { return nil }
            out += withUnsafeBytes(of: word) { Array($0) }
        }
        return out
    }

    /// Who listens where `address` and `port` would be bound.
    public func listener(_ address: IPAddress?, _ port: UInt16) -> Socket? {
        sockets.first { socket in
            guard socket.port == port else { return false }
            guard let own = address, let other = socket.address else { return true }
            return own.unmapped == other.unmapped
        }
    }

    /// `exim4 (process 812)`; nil when it may not be known, as for others than root.
    public func owner(of socket: Socket) -> (name: String, pid: Int)? {
        let wanted = "socket:[\(socket.inode)]"
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = Int(entry) else { continue }
            for number in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? [] {
                guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(number)"), target == wanted else { continue }
                let name = (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "a process"
                return (name, pid)
            }
        }
        return nil
    }
}
