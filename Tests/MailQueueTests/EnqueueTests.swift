import Foundation
import InternetMessage
@testable import MailQueue
import Testing

@Suite struct EnqueueTests {
    let fixture = QueueFixture()

    @Test func whatWasEnqueuedComesBackOctetForOctet() throws {
        let queue = try fixture.open()
        let envelope = try QueueFixture.envelope("a1", recipients: ["bob@example.net", "\"o dd\"@[192.0.2.1]"])
        try queue.enqueue(envelope, message: QueueFixture.message)
        let queued = try queue.load("a1")
        #expect(queued.envelope == envelope)
        #expect(try queued.message().bytes() == QueueFixture.message.bytes())
        #expect(try queued.content().bytes() == QueueFixture.message.bytes())
        #expect(try queued.header().first("subject")?.value == "one")
        #expect(queued.byteCount == QueueFixture.message.byteCount)
        #expect(!queued.is8Bit)
    }

    @Test func aRewrittenLocalPartOver64OctetsSurvives() throws {
        let queue = try fixture.open()
        let domain = try #require(EmailAddress("x@example.org")).domain
        var envelope = try QueueFixture.envelope("long")
        envelope.sender.address = EmailAddress(localPart: "SRS0=" + String(repeating: "x", count: 90), domain: domain)
        try queue.enqueue(envelope, message: QueueFixture.message)
        #expect(try queue.load("long").envelope.sender.address == envelope.sender.address)
    }

    @Test(arguments: [("Subject: caf\u{e9}\r\n\r\nplain\r\n", true, false), ("Subject: a\r\n\r\n1234567890 \u{e9}\r\n", false, true), ("A: b\r\n\r\nc\r\n", false, false)])
    func octetsAbove127AreMarked(text: String, header: Bool, body: Bool) throws {
        let queue = try fixture.open()
        try queue.enqueue(QueueFixture.envelope("m"), message: Message(parsing: Array(text.utf8)))
        let queued = try queue.load("m")
        #expect(queued.headerIs8Bit == header)
        #expect(queued.bodyIs8Bit == body)
    }

    @Test func everyBitOfTheTailIsLookedAt() {
        for length in 1...20 {
            for place in 0..<length {
                var bytes = [UInt8](repeating: 0x7f, count: length)
                #expect(!bytes.withUnsafeBytes(EightBit.isIn))
                bytes[place] = 0x80
                #expect(bytes.withUnsafeBytes(EightBit.isIn))
            }
        }
    }

    @Test(arguments: ["", ".hidden", "a/b", "../up", "a b", String(repeating: "x", count: 101)])
    func anIDThatIsNoFileNameIsRefused(id: String) throws {
        let queue = try fixture.open()
        #expect(throws: QueueError.invalidID(id)) { try queue.enqueue(QueueFixture.envelope(id), message: QueueFixture.message) }
    }

    @Test func theSameIDTwiceIsRefusedAndTheFirstStays() throws {
        let queue = try fixture.open()
        try queue.enqueue(QueueFixture.envelope("a"), message: QueueFixture.message)
        #expect(throws: QueueError.duplicateID("a")) { try queue.enqueue(QueueFixture.envelope("a"), message: Message()) }
        #expect(try queue.load("a").byteCount == QueueFixture.message.byteCount)
    }

    @Test func aNearlyFullDiskIsSaidAndLeavesNothing() throws {
        let queue = try fixture.open(minimumFreeBytes: Int.max / 2)
        var thrown: QueueError?
        do { try queue.enqueue(QueueFixture.envelope("a"), message: QueueFixture.message) } catch { thrown = error as? QueueError }
        guard case .insufficientStorage = thrown else { Issue.record("\(String(describing: thrown))"); return }
        #expect(queue.count == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.root + "/tmp").isEmpty)
    }

    @Test func aQueueAtItsLimitRefuses() throws {
        let queue = try fixture.open(maximumMessages: 1)
        try queue.enqueue(QueueFixture.envelope("a"), message: QueueFixture.message)
        #expect(throws: QueueError.queueFull(limit: 1)) { try queue.enqueue(QueueFixture.envelope("b"), message: QueueFixture.message) }
    }

    @Test func anEnvelopeWithNobodyLeftIsRefused() throws {
        let queue = try fixture.open()
        #expect(throws: QueueError.self) { try queue.enqueue(QueueFixture.envelope("a", recipients: []), message: QueueFixture.message) }
    }

    @Test func manyThreadsEnqueueAtOnce() throws {
        let queue = try fixture.open()
        DispatchQueue.concurrentPerform(iterations: 40) { index in
            do { try queue.enqueue(QueueFixture.envelope("m\(index)"), message: QueueFixture.message) } catch { Issue.record(error) }
        }
        #expect(Set(queue.entries().map(\.id)) == Set((0..<40).map { "m\($0)" }))
        #expect(try fixture.open().recovery.restored == 40)
    }
}
