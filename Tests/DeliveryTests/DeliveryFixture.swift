import BlockingPool
@testable import Delivery
import Foundation
import InternetMessage
import Logging
import MailQueue
import MailStore
import SMTPClient
import SMTPCore
import Synchronization
import Testing

/// A clock that stands still until it is moved.
final class ManualClock: RelayClock {
    private struct State {
        var now = Date(timeIntervalSince1970: 1_700_000_000)
        var sleepers: [Int: (until: Date, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled: Set<Int> = []
        var next = 0
    }
    private let state = Mutex(State())

    func now() -> Date { state.withLock { $0.now } }

    func sleep(until time: Date) async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.contains(number) { return .failure(CancellationError()) }
                    if state.now >= time { return .success(()) }
                    state.sleepers[number] = (time, continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.cancelled.insert(number)
                return state.sleepers.removeValue(forKey: number)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Moves on without waking anybody: the test pokes the service itself, so that nothing races.
    func advance(_ seconds: TimeInterval) { state.withLock { $0.now += seconds } }
}

/// Carries mail away as it is told.
final class FakeRemote: RemoteDelivery {
    typealias Answer = @Sendable (ClientRecipient, _ attempt: Int) -> RecipientResult
    private let state = Mutex<(attempts: [String: Int], sent: [String], running: Int, peak: Int)>(([:], [], 0, 0))
    private let answer: Answer

    init(_ answer: @escaping Answer) { self.answer = answer }

    func nextHop(for address: EmailAddress) -> NextHop { NextHop(address.domain) }

    func deliver(from sender: OutgoingSender, to recipients: [ClientRecipient], via hop: NextHop, message: OutgoingMessage) async -> DeliveryReport {
        let bytes = try? await message.read(0, message.byteCount)
        return DeliveryReport(results: recipients.map { recipient in
            let name = recipient.address.description
            let attempt = state.withLock { state in
                state.attempts[name, default: 0] += 1
                return state.attempts[name] ?? 0
            }
            let result = answer(recipient, attempt)
            if result.kind == .delivered { state.withLock { $0.sent.append("\(name): \(String(decoding: bytes ?? [], as: UTF8.self))") } }
            return result
        })
    }

    var attempts: [String: Int] { state.withLock { $0.attempts } }
    var sent: [String] { state.withLock { $0.sent } }

    static let delivered = RecipientResult(.delivered, status: "2.0.0", text: "queued", reply: SMTPReply(250, "2.0.0", "queued"))
    static let deferred = RecipientResult(.temporary, status: "4.2.1", text: "busy", reply: SMTPReply(450, "4.2.1", "busy"))
    static let refused = RecipientResult(.permanent, status: "5.1.1", text: "no such user", reply: SMTPReply(550, "5.1.1", "no such user"))
}

/// Queue, store, acceptor and relay in a folder that goes away with it. `alice@us.test` is ours, the rest of the world is not.
final class DeliveryFixture: Sendable {
    let root = NSTemporaryDirectory() + "/delivery-\(UUID().uuidString)"
    let clock = ManualClock()
    let remote: FakeRemote
    let queue: MailQueue
    let store: MailStore
    let acceptor: MailAcceptor
    let relay: RelayService
    let notifier: StatusNotifier
    let entries = Mutex<[String]>([])
    struct NoticeWaits: Error {}
    private static let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// - Parameter noticesWait: whether a filter puts off every notification that may wait.
    init(maximumMessages: Int = 100, minimumFreeBytes: Int = 0, policy: RetryPolicy = RetryPolicy(), noticesWait: Bool = false, random: @escaping @Sendable () -> Double = { 0.5 }, remote answer: @escaping FakeRemote.Answer) throws {
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let pool = BlockingPool(threads: 2)
        remote = FakeRemote(answer)
        queue = try MailQueue(.init(root: root + "/queue", minimumFreeBytes: minimumFreeBytes, maximumMessages: maximumMessages))
        store = try MailStore(root: root + "/mail")
        let made = Made()
        let acceptor = MailAcceptor(queue: queue, store: store, pool: pool, clock: clock, enqueued: { made.add($0) },
                                    stored: { await made.stored($0, $1) })
        self.acceptor = acceptor
        var settings = StatusNotifier.Settings(hostName: "us.test") { address in
            [RoutedRecipient(address, destination: address.domainText == "us.test" ? .local(LocalDestination(account: address.localPart)) : .remote)]
        }
        settings.makeID = { "notice-\(made.number())" }
        settings.prepareGenerated = { notice, mayWait in
            if mayWait, noticesWait { throw NoticeWaits() }
            var notice = notice
            notice.message.header.fields.insert(HeaderField(name: "X-Filtered", value: "yes"), at: 0)
            return notice
        }
        notifier = StatusNotifier(settings: settings, acceptor: acceptor, pool: pool, clock: clock, log: Self.log)
        var relaySettings = RelayService.Settings()
        relaySettings.retry = policy
        relaySettings.retry.random = random
        relay = RelayService(settings: relaySettings, queue: queue, store: store, remote: remote, notifier: notifier, pool: pool, clock: clock, log: Self.log)
        self.made = made
        made.notifier = notifier
    }

    private let made: Made

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// Ids that the acceptor announced; numbers for notices.
    final class Made: Sendable {
        private let state = Mutex<(ids: [String], count: Int, notifier: StatusNotifier?)>(([], 0, nil))
        func add(_ id: String) { state.withLock { $0.ids.append(id) } }
        func number() -> Int { state.withLock { $0.count += 1; return $0.count } }
        func takeAll() -> [String] { state.withLock { state in defer { state.ids = [] }; return state.ids } }
        var notifier: StatusNotifier? {
            get { state.withLock { $0.notifier } }
            set { state.withLock { $0.notifier = newValue } }
        }
        func stored(_ submission: Submission, _ indexes: [Int]) async { await notifier?.stored(submission, indexes) }
    }

    /// Lets the relay do everything that is due, notices included.
    func settle() async {
        await relay.start()
        await relay.poke()
        await relay.waitUntilIdle()
        while case let ids = made.takeAll(), !ids.isEmpty {
            for id in ids { await relay.take(id) }
            await relay.waitUntilIdle()
        }
    }

    @discardableResult
    func accept(_ id: String = "m1", from sender: String? = "alice@us.test", to recipients: RoutedRecipient..., message: Message = DeliveryFixture.message) async throws -> Accepted {
        let address = try sender.map { try #require(EmailAddress($0)) }
        return try await acceptor.accept(Submission(id: id, sender: QueueSender(address, envelopeID: "id+2B1"), recipients: recipients, message: message))
    }

    static let message = Message(parsing: Array("Received: one\r\nReturn-Path: <forged@x>\r\nMessage-ID: <1@us.test>\r\nSubject: hello\r\n\r\nbody\r\n".utf8))

    static func remote(_ text: String, notify: Set<QueueRecipient.Notify>? = nil) throws -> RoutedRecipient {
        RoutedRecipient(try #require(EmailAddress(text)), notify: notify, originalRecipient: "rfc822;" + text, destination: .remote)
    }

    static func local(_ text: String, notify: Set<QueueRecipient.Notify>? = nil, account: String? = nil) throws -> RoutedRecipient {
        let address = try #require(EmailAddress(text))
        return RoutedRecipient(address, notify: notify, destination: .local(LocalDestination(account: account ?? address.localPart)))
    }

    /// The messages in an account's inbox, as text.
    func inbox(_ account: String) throws -> [String] {
        let folder = root + "/mail/\(account)/Maildir/new"
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return [] }
        return try names.sorted().map { try String(contentsOfFile: folder + "/" + $0, encoding: .utf8).replacingOccurrences(of: "\r\n", with: "\n") }
    }
}
