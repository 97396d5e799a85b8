import Foundation

/// A client that says what the test tells it, over a blocking socket with a time limit.
final class TestClient {
    /// Nothing came within the time, or the server closed.
    struct Closed: Error { var testLine: UInt = 0 }

    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var count = 0

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard result == 0 else { throw Closed() }
    }

    deinit { close(descriptor) }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let put = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard put > 0 else { throw Closed() }
            sent += put
        }
    }

    /// One response, its literals inline, without the last line end.
    func response(line: UInt = #line) throws -> String {
        do { return try nextResponse() } catch is Closed { throw Closed(testLine: line) }
    }

    private func nextResponse() throws -> String {
        var out: [UInt8] = []
        while true {
            let line = try self.line()
            out += line
            guard line.last == 125, let brace = line.lastIndex(of: 123), let size = Int(String(decoding: line[(brace + 1)...].dropLast(), as: UTF8.self))
            else { return String(decoding: out, as: UTF8.self) }
            out += [13, 10]
            out += try take(size)
        }
    }

    /// Sends a command and collects what comes up to its tagged answer, which is the last element (without the tag).
    @discardableResult
    func run(_ command: String, line: UInt = #line) throws -> [String] {
        count += 1
        try send("t\(count) \(command)\r\n")
        return try answers("t\(count)", line: line)
    }

    func answers(_ tag: String, line: UInt = #line) throws -> [String] {
        var out: [String] = []
        while true {
            let next = try response(line: line)
            if next.hasPrefix(tag + " ") { return out + [String(next.dropFirst(tag.count + 1))] }
            out.append(next)
        }
    }

    private func line() throws -> [UInt8] {
        while true {
            if let end = buffer.firstIndex(of: 10) {
                let line = buffer[..<end]
                buffer.removeFirst(end + 1)
                return Array(line.last == 13 ? line.dropLast() : line)
            }
            try fill()
        }
    }

    private func take(_ size: Int) throws -> [UInt8] {
        while buffer.count < size { try fill() }
        defer { buffer.removeFirst(size) }
        return Array(buffer[..<size])
    }

    private func fill() throws {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let got = recv(descriptor, &chunk, chunk.count, 0)
        guard got > 0 else { throw Closed() }
        buffer += chunk[..<got]
    }
}
