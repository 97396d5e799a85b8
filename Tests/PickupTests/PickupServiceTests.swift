import BlockingPool
import Foundation
import InternetMessage
import Logging
@testable import Pickup
import Synchronization
import Testing

@Suite struct PickupServiceTests {
    private final class Taken: Sendable {
        let senders = Mutex<[String]>([])
    }

    private func withService(_ outcome: @escaping @Sendable (DroppedMessage) -> PickupService.Outcome, _ work: (DropFolder, PickupService, Taken) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "postern-pickup-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = DropFolder(path: path), taken = Taken()
        try folder.prepare()
        let service = PickupService(settings: .init(folder: folder, sizeLimit: 1000, spoolFolder: NSTemporaryDirectory()), pool: BlockingPool(threads: 2),
                                    logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })) { mail in
            taken.senders.withLock { $0.append(mail.envelope.sender?.description ?? "<>") }
            return outcome(mail)
        }
        try await work(folder, service, taken)
    }

    private func put(_ folder: DropFolder, _ sender: String) throws {
        try folder.put(DropEnvelope(sender: EmailAddress(sender), recipients: [.init(EmailAddress("b@x.example")!)]), content: [])
    }

    @Test func whatIsTakenGoes() async throws {
        try await withService({ _ in .done }) { folder, service, taken in
            for number in 0..<10 { try put(folder, "a\(number)@x.example") }
            _ = await service.look()
            #expect(try folder.names(limit: .max).isEmpty)
            #expect(taken.senders.withLock { $0 }.count == 10)
        }
    }

    @Test func whatIsPutOffStaysAndWaitsItsTime() async throws {
        try await withService({ _ in .later("a filter") }) { folder, service, taken in
            try put(folder, "a@x.example")
            #expect(await !service.look())
            #expect(await !service.look())
            #expect(try folder.names(limit: .max).count == 1)
            #expect(taken.senders.withLock { $0 } == ["a@x.example"])
        }
    }

    @Test func damageIsPutAsideAndHoldsNothingUp() async throws {
        try await withService({ _ in .done }) { folder, service, taken in
            let bad = DropFolder.freshName()
            try Data("x".utf8).write(to: URL(fileURLWithPath: folder.path + "/" + bad))
            chmod(folder.path + "/" + bad, DropFolder.ready)
            try put(folder, "a@x.example")
            _ = await service.look()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["damaged-" + bad])
            #expect(taken.senders.withLock { $0 } == ["a@x.example"])
        }
    }

    /// Everybody may begin files with names that sort before all others.
    @Test func unfinishedFilesKeepNobodyWaiting() async throws {
        try await withService({ _ in .done }) { folder, service, taken in
            for number in 0..<150 {
                let path = "\(folder.path)/d-0\(number)"
                try Data("x".utf8).write(to: URL(fileURLWithPath: path))
                chmod(path, DropFolder.unfinished)
            }
            try put(folder, "a@x.example")
            #expect(await !service.look())
            #expect(taken.senders.withLock { $0 } == ["a@x.example"])
            #expect(try folder.names(limit: .max).count == 150)
        }
    }

    /// More than one look takes, none of which can be taken now: those behind them have their turn.
    @Test func whatIsPutOffKeepsNobodyWaiting() async throws {
        try await withService({ $0.envelope.sender?.localPart == "later" ? .later("a filter") : .done }) { folder, service, taken in
            for _ in 0..<PickupService.batch { try put(folder, "later@x.example") }
            try put(folder, "a@x.example")
            #expect(await service.look())
            #expect(await !service.look())
            #expect(taken.senders.withLock { $0 }.last == "a@x.example")
        }
    }

    /// No look is due for an hour: the watch brings it.
    @Test func aNewFileIsNoticed() async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        try await withService({ mail in
            continuation.yield(mail.envelope.sender?.description ?? "")
            return .done
        }) { folder, service, _ in
            service.start()
            var seen = stream.makeAsyncIterator()
            for number in 0..<3 {
                try put(folder, "a\(number)@x.example")
                #expect(await seen.next() == "a\(number)@x.example")
            }
            await service.stop(within: .seconds(30))
        }
    }
}
