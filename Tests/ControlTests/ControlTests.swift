@testable import Control
import Foundation
import Logging
import NIOPosix
import Testing

/// A server and a client over a real socket.
@Suite(.timeLimit(.minutes(1))) struct ControlTests {
    struct Question: Codable, Sendable { var count: Int; var failing = false }

    static func server(_ path: String) throws -> ControlServer {
        try ControlServer(path: path, handlers: ["count": { request, answer in
            let question = try request.decode(Question.self)
            for number in 0..<question.count { try await answer.send(number) }
            if question.failing { throw ControlError("no further") }
        }], group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    static func withServer(_ body: (String) async throws -> Void) async throws {
        let path = "/tmp/ctl-\(UInt32.random(in: .min ... .max))"
        let server = try server(path)
        try await server.start()
        do { try await body(path) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    /// Off the cooperative threads, which it would block.
    static func ask(_ path: String, _ question: Question, command: String = "count") async throws -> (found: Bool, items: [Int], error: String?) {
        await withCheckedContinuation { continuation in
            Thread {
                var items: [Int] = []
                do {
                    let found = try ControlClient(path: path, patience: 20).ask(command, question, as: Int.self) { items.append($0) }
                    continuation.resume(returning: (found, items, nil))
                } catch { continuation.resume(returning: (true, items, "\(error)")) }
            }.start()
        }
    }

    @Test func itemsComeInOrder() async throws {
        try await Self.withServer { path in
            // More than any buffer holds.
            let answer = try await Self.ask(path, Question(count: 50_000))
            #expect(answer.error == nil)
            #expect(answer.items.count == 50_000 && answer.items.enumerated().allSatisfy { $0.offset == $0.element })
        }
    }

    @Test func aFailureComesAfterWhatWasSent() async throws {
        try await Self.withServer { path in
            let answer = try await Self.ask(path, Question(count: 2, failing: true))
            #expect(answer.items == [0, 1])
            #expect(answer.error == "no further")
        }
    }

    @Test func onlyTheOwnerMayConnect() async throws {
        try await Self.withServer { path in
            var facts = stat()
            #expect(lstat(path, &facts) == 0)
            #expect(facts.st_mode & 0o777 == 0o600)
        }
    }

    @Test func whatTheServerDoesNotKnowItSays() async throws {
        try await Self.withServer { path in
            let answer = try await Self.ask(path, Question(count: 1), command: "dance")
            #expect(answer.error == "the server knows no command 'dance'")
        }
    }

    @Test func nobodyThere() async throws {
        let answer = try await Self.ask("/tmp/ctl-nobody", Question(count: 1))
        #expect(!answer.found && answer.error == nil)
    }

    @Test(arguments: [#"{"version":2,"command":"count","arguments":{}}"#, "hello", "{}", ""])
    func whatIsNoRequestOfThisVersion(_ line: String) {
        #expect(throws: ControlError.self) { try ControlRequest(line: Data(line.utf8)) }
    }

    @Test func argumentsOfAnotherShape() throws {
        let request = try ControlRequest(line: Data(#"{"version":1,"command":"count","arguments":{"number":"x"}}"#.utf8))
        #expect(throws: ControlError.self) { try request.decode(Question.self) }
    }
}
