import Foundation
import Testing
@testable import MilterServer

@Suite struct ListeningSocketTests {
    /// A listening socket of one family at a port that the system chose.
    private func listener(_ family: Int32) throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_storage()
        address.ss_family = sa_family_t(family)
        var length = socklen_t(family == AF_INET6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 5) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(status)
        // The port stands at the same place in both families.
        let port = withUnsafeBytes(of: &address) { UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) }
        return (descriptor, port)
    }

    private func sendsAtOnce(_ descriptor: Int32) -> Bool {
        var on: Int32 = 0, size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, &size) == 0 && on != 0
    }

    @Test(arguments: [AF_INET, AF_INET6]) func acceptedSocketsInheritIt(_ family: Int32) throws {
        let (descriptor, port) = try listener(family), (other, _) = try listener(family)
        let client = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        defer { for one in [descriptor, other, client] { close(one) } }
        #expect(ListeningSocket.sendAtOnce(port: port))
        #expect(!sendsAtOnce(other), "another socket is left alone")
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &address) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 && connect(client, $0, length) == 0 }
        }
        try #require(status)
        let accepted = accept(descriptor, nil, nil)
        defer { close(accepted) }
        #expect(sendsAtOnce(accepted))
    }

    @Test func aPortThatNobodyListensOn() throws {
        let (descriptor, port) = try listener(AF_INET)
        close(descriptor)
        #expect(!ListeningSocket.sendAtOnce(port: port))
    }
}
