import Foundation
import NIOCore
import NIOPosix
import Testing
@testable import LocalSocket

@Suite struct UnixSocketTests {
    /// A folder of its own with a short name: socket paths hold 107 octets.
    private func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = "/tmp/ls-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private var bootstrap: ServerBootstrap { ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton) }

    @Test func itAppearsWithItsModeAndNothingElse() async throws {
        try await inFolder { folder in
            let socket = try UnixSocket(folder + "/s", mode: 0o600)
            let channel = try await socket.bind(bootstrap)
            var status = stat()
            #expect(lstat(socket.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["s"])
            #expect(UnixSocket.answer(socket.path) == 0)
            try await channel.close()
            socket.remove()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test func oneThatNobodyAnswersIsReplacedAndOneInUseIsNot() async throws {
        try await inFolder { folder in
            let socket = try UnixSocket(folder + "/s")
            try await socket.bind(bootstrap).close()
            #expect(UnixSocket.answer(socket.path) == ECONNREFUSED)
            let second = try await socket.bind(bootstrap)
            await #expect(throws: UnixSocketError.inUse(socket.path)) { _ = try await socket.bind(bootstrap) }
            socket.remove()
            #expect(UnixSocket.answer(socket.path) == 0, "a socket that answers is not taken away")
            try await second.close()
        }
    }

    @Test func whatIsNoSocketIsLeftAlone() async throws {
        try await inFolder { folder in
            let path = folder + "/file"
            try "precious".write(toFile: path, atomically: true, encoding: .utf8)
            let socket = try UnixSocket(path)
            await #expect(throws: UnixSocketError.notASocket(path)) { _ = try await socket.bind(bootstrap) }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
            let lost = try UnixSocket(folder + "/none/s")
            await #expect(throws: UnixSocketError.cannotListen(lost.path, ENOENT)) { _ = try await lost.bind(bootstrap) }
        }
    }

    @Test(arguments: ["", "s", "/a/", "/" + String(repeating: "x", count: 107)]) func paths(_ path: String) {
        #expect(throws: UnixSocketError.badPath(path)) { _ = try UnixSocket(path) }
    }
}
