import BlockingPool
import Foundation
import InternetMessage
import MailQueue

/// Fills a queue's folder, and prints what opening it, listing it and counting it cost.
///
///     queue-bench fill FOLDER [MESSAGES] [DOMAINS]     through the queue's own enqueue, as of a day ago, put off once
///     queue-bench open FOLDER                          seconds, memory
///
/// FOLDER is a data folder's `queue`. To see the whole program: fill, then `postern serve` and `postern queue list`.
@main
enum QueueBench {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        func number(_ place: Int, _ fallback: Int) -> Int { place < arguments.count ? Int(arguments[place]) ?? fallback : fallback }
        switch arguments.first {
        case "fill" where arguments.count > 1: try fill(arguments[1], messages: number(2, 100_000), domains: number(3, 1000))
        case "open" where arguments.count > 1: try open(arguments[1])
        default: print("queue-bench fill FOLDER [MESSAGES] [DOMAINS] | open FOLDER")
        }
    }

    private static func fill(_ root: String, messages: Int, domains: Int) throws {
        let queue = try MailQueue(.init(root: root, minimumFreeBytes: 0, maximumMessages: .max))
        let start = Date(), arrival = start - 3600
        let body = String(repeating: "Twenty words of a mailing that nobody asked for and that is none the better for it.\r\n", count: 20)
        let next = Atomically()
        let threads = (0..<16).map { _ in
            let done = DispatchSemaphore(value: 0)
            Thread {
                while case let number = next.take(), number < messages {
                    do { try add(number, of: domains, arrival, body, to: queue) } catch { print("\(number): \(error)") }
                }
                done.signal()
            }.start()
            return done
        }
        for done in threads { done.wait() }
        print("filled: \(queue.count) messages in \(seconds(since: start)) s")
    }

    private static func add(_ number: Int, of domains: Int, _ arrival: Date, _ body: String, to queue: MailQueue) throws {
        let id = "Q" + String(1_000_000 + number, radix: 36, uppercase: true)
        guard let sender = EmailAddress("list-bounces+\(number)@example.org"), let recipient = EmailAddress("user\(number)@d\(number % domains).example") else { return }
        let envelope = QueueEnvelope(id: id, arrival: arrival + Double(number) / 1000, sender: QueueSender(sender),
                                     recipients: [QueueRecipient(recipient, status: .fresh(at: arrival))])
        try queue.enqueue(envelope, message: Message(parsing: Array("From: list@example.org\r\nTo: \(recipient)\r\nSubject: number \(number)\r\n\r\n\(body)".utf8)))
        let note = DeliveryNote(status: "4.4.1", text: "connect to mx.d\(number % domains).example: Connection refused", time: arrival)
        try queue.record(id, [0: .pending(PendingDelivery(nextAttempt: Date() + 3600, attempts: 1, lastNote: note))])
    }

    private static func open(_ root: String) throws {
        let before = residentBytes()
        var start = Date()
        let queue = try MailQueue(.init(root: root, minimumFreeBytes: 0, maximumMessages: .max))
        print("open: \(queue.count) messages in \(seconds(since: start)) s, \((residentBytes() - before) / max(1, queue.count)) octets of memory a message")
        start = Date()
        let rows = try queue.candidates(QueueSelection()).prefix(100).map { QueueRow(try queue.load($0.id)) }
        print("list: \(rows.count) rows in \(seconds(since: start)) s")
        start = Date()
        print("stats: \(queue.statistics(at: start).destinations.count) destinations in \(seconds(since: start)) s")
    }

    private static func seconds(since start: Date) -> String { String(format: "%.2f", -start.timeIntervalSinceNow) }

    /// proc(5), statm: the second figure, in pages.
    private static func residentBytes() -> Int {
        let words = (try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii))?.split(separator: " ") ?? []
        return words.count > 1 ? (Int(words[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }
}

/// Numbers, each given once.
private final class Atomically: @unchecked Sendable {
    // Sendable by proof: `next` is touched only with the lock held.
    private let lock = NSLock()
    private var next = 0
    func take() -> Int {
        lock.withLock {
            next += 1
            return next - 1
        }
    }
}
