import Foundation
import InternetMessage
@testable import MailQueue
import Testing

/// Every state a crash can leave is made by hand and the queue opened over it.
@Suite struct RecoveryTests {
    let fixture = QueueFixture()

    @Test func halfWrittenFilesInTmpAreRemoved() throws {
        _ = try fixture.open()
        try Data("postern-queue 1 50".utf8).write(to: URL(fileURLWithPath: fixture.root + "/tmp/half"))
        let queue = try fixture.open()
        #expect(queue.recovery.leftovers == 1)
        #expect(queue.count == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.root + "/tmp").isEmpty)
    }

    @Test func stepsSurviveAndNobodyIsDeliveredTwice() throws {
        let first = try fixture.open()
        try first.enqueue(QueueFixture.envelope("a", recipients: ["b@x.example", "c@x.example", "d@x.example"]), message: QueueFixture.message)
        let later = QueueFixture.start + 300
        let retry = RecipientStatus.pending(PendingDelivery(nextAttempt: later, attempts: 1, lastNote: QueueFixture.note("4.4.1")))
        #expect(try first.record("a", [0: .delivered(QueueFixture.note()), 1: retry]) == .stays)
        #expect(try first.record("a", [2: .failed(QueueFixture.note("5.1.1"))]) == .stays)

        let second = try fixture.open()
        #expect(second.entry("a") == MailQueue.Entry(id: "a", arrival: QueueFixture.start, nextAttempt: later, pendingRecipients: 1,
                                                     byteCount: QueueFixture.message.byteCount))
        let envelope = try second.load("a").envelope
        #expect(envelope.pending == [1])
        #expect(envelope.recipients[0].status == .delivered(QueueFixture.note()))
        #expect(envelope.recipients[1].status == retry)
        #expect(try second.record("a", [1: .delivered(QueueFixture.note())]) == .left)
        #expect(!FileManager.default.fileExists(atPath: fixture.file("a").path))
        #expect(try fixture.open().count == 0)
    }

    @Test func aTornJournalLineIsCutOffAndTheNextStepIsReadable() throws {
        let first = try fixture.open()
        try first.enqueue(QueueFixture.envelope("a", recipients: ["b@x.example", "c@x.example"]), message: QueueFixture.message)
        try first.record("a", [0: .delivered(QueueFixture.note())])
        let whole = try Data(contentsOf: fixture.file("a"))
        let line = whole[(whole.dropLast().lastIndex(of: 10).map { $0 + 1 } ?? 0)...]
        // Tear the very line at every place.
        for length in [1, line.count / 2, line.count - 1] {
            try (whole.prefix(whole.count - line.count) + line.prefix(length)).write(to: fixture.file("a"))
            let queue = try fixture.open()
            #expect(queue.recovery.repaired == 1)
            #expect(try queue.load("a").envelope.pending == [0, 1])
            try queue.record("a", [1: .delivered(QueueFixture.note())])
            #expect(try fixture.open().load("a").envelope.pending == [0])
        }
    }

    @Test func aDamagedLineHidesNoLaterOne() throws {
        let first = try fixture.open()
        try first.enqueue(QueueFixture.envelope("a", recipients: ["b@x.example", "c@x.example"]), message: QueueFixture.message)
        let handle = try FileHandle(forWritingTo: fixture.file("a"))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"recip\u{0}\n{\"recipient\":9,\"status\":{}}\n".utf8))
        try handle.close()
        try first.record("a", [1: .delivered(QueueFixture.note())])
        #expect(try fixture.open().load("a").envelope.pending == [0])
    }

    @Test func aMessageWhoseUnlinkWasLostIsNotDeliveredAgain() throws {
        let first = try fixture.open()
        try first.enqueue(QueueFixture.envelope("a"), message: QueueFixture.message)
        let step = QueueFile.Step(recipient: 0, status: .delivered(QueueFixture.note()))
        let before = try Data(contentsOf: fixture.file("a"))
        try (before + Data(try QueueFile.encode([step]))).write(to: fixture.file("a"))
        let queue = try fixture.open()
        #expect(queue.recovery.finished == 1)
        #expect(queue.count == 0)
        #expect(!FileManager.default.fileExists(atPath: fixture.file("a").path))
    }

    @Test(arguments: [0, 5, 30, 200, 480])
    func aFileCutShortIsSetAsideWithItsReason(length: Int) throws {
        let first = try fixture.open()
        try first.enqueue(QueueFixture.envelope("a"), message: QueueFixture.message)
        try first.enqueue(QueueFixture.envelope("b"), message: QueueFixture.message)
        let whole = try Data(contentsOf: fixture.file("a"))
        try #require(length < whole.count)
        try whole.prefix(length).write(to: fixture.file("a"))
        let queue = try fixture.open()
        #expect(queue.recovery.corrupt.map(\.name) == ["a"])
        #expect(queue.recovery.restored == 1)
        #expect(FileManager.default.fileExists(atPath: fixture.root + "/corrupt/a"))
        #expect(!FileManager.default.fileExists(atPath: fixture.file("a").path))
    }

    @Test(arguments: ["postern-queue 2 1 1 1 -\n", "postern-queue 1 -1 0 0 -\n", "postern-queue 1 99999999999999999999 0 0 -\n", "postern-queue 1 2 0 0 -\n[]\n\n", "\u{0}\u{0}\u{0}"])
    func aForeignFileIsSetAside(text: String) throws {
        _ = try fixture.open()
        try Data(text.utf8).write(to: fixture.file("odd"))
        let queue = try fixture.open()
        #expect(queue.recovery.corrupt.map(\.name) == ["odd"])
        #expect(queue.count == 0)
    }

    @Test func aFileInTheWrongFolderIsSetAside() throws {
        let first = try fixture.open()
        try first.enqueue(QueueFixture.envelope("a"), message: QueueFixture.message)
        let wrong = fixture.root + "/messages/" + String((QueueFolders.hash("a") + 1) % 16, radix: 16) + "/a"
        try FileManager.default.moveItem(at: fixture.file("a"), to: URL(fileURLWithPath: wrong))
        #expect(try fixture.open().recovery.corrupt.count == 1)
    }

    @Test func aStepForNobodyIsRefused() throws {
        let queue = try fixture.open()
        try queue.enqueue(QueueFixture.envelope("a"), message: QueueFixture.message)
        #expect(throws: QueueError.unknownMessage("a")) { try queue.record("a", [1: .delivered(QueueFixture.note())]) }
        #expect(throws: QueueError.unknownMessage("z")) { try queue.record("z", [:]) }
        #expect(throws: QueueError.unknownMessage("z")) { try queue.load("z") }
    }

    @Test func aRemovedMessageIsGone() throws {
        let queue = try fixture.open()
        try queue.enqueue(QueueFixture.envelope("a"), message: QueueFixture.message)
        try queue.remove("a")
        #expect(queue.count == 0)
        #expect(try fixture.open().count == 0)
    }

    @Test func aFolderSyncThatFailsIsToldToItsCallers() throws {
        let sync = GroupSync(path: fixture.root + "/nowhere")
        #expect(throws: QueueError.self) { try sync.sync() }
    }
}

@Suite struct ConcurrentRecordTests {
    @Test func recipientsSettledAtOnceByManyThreadsLeaveNothing() throws {
        let fixture = QueueFixture()
        let queue = try fixture.open()
        for round in 0..<40 {
            let id = "m\(round)"
            try queue.enqueue(QueueFixture.envelope(id, recipients: (0..<6).map { "r\($0)@x.example" }), message: QueueFixture.message)
            DispatchQueue.concurrentPerform(iterations: 6) { index in
                do { try queue.record(id, [index: .delivered(QueueFixture.note())]) } catch { Issue.record(error) }
            }
        }
        #expect(queue.count == 0)
        #expect(try fixture.open().recovery == Recovery())
    }
}
