import Foundation

/// UDP and TCP on one free loopback port; each query gets the datagrams, or the one message, that the test wants.
final class LoopbackServer: Sendable {
    struct Failure: Error {}
    let port: UInt16
    private let udp: Int32
    private let tcp: Int32

    init(tcp answer: (@Sendable ([UInt8]) -> [UInt8])? = nil, udp answers: @escaping @Sendable ([UInt8]) -> [[UInt8]]) throws {
        tcp = try Self.bound(SOCK_STREAM, port: 0)
        port = try Self.port(of: tcp)
        udp = try Self.bound(SOCK_DGRAM, port: port)
        guard listen(tcp, 4) == 0 else { throw Failure() }
        let (udp, tcp) = (udp, tcp)
        Thread { Self.serve(udp, answers) }.start()
        if let answer { Thread { Self.serve(tcp, answer) }.start() }
    }

    func stop() {
        // Wakes the threads, which close their sockets.
        shutdown(udp, Int32(SHUT_RDWR))
        shutdown(tcp, Int32(SHUT_RDWR))
    }

    private static func serve(_ socket: Int32, _ answers: ([UInt8]) -> [[UInt8]]) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            var peer = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let count = withUnsafeMutablePointer(to: &peer) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(socket, &buffer, buffer.count, 0, $0, &length) }
            }
            guard count > 0 else { break }
            for answer in answers(Array(buffer.prefix(count))) {
                _ = withUnsafePointer(to: &peer) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(socket, answer, answer.count, 0, $0, length) }
                }
            }
        }
        close(socket)
    }

    private static func serve(_ socket: Int32, _ answer: ([UInt8]) -> [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let client = accept(socket, nil, nil), client >= 0 {
            let count = recv(client, &buffer, buffer.count, 0)
            if count > 2 {
                let message = answer(Array(buffer[2..<count]))
                let framed = [UInt8(message.count >> 8), UInt8(truncatingIfNeeded: message.count)] + message
                // In two pieces: a reader must not rely on one.
                _ = send(client, framed, 5, 0)
                _ = framed.withUnsafeBytes { send(client, $0.baseAddress?.advanced(by: 5), framed.count - 5, 0) }
            }
            close(client)
        }
        close(socket)
    }

    private static func bound(_ type: __socket_type, port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(type.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard result == 0 else { throw Failure() }
        return descriptor
    }

    private static func port(of socket: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        guard result == 0 else { throw Failure() }
        return UInt16(bigEndian: address.sin_port)
    }
}
