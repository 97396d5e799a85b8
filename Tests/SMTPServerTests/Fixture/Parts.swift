import Accounts
import InternetMessage
import Milter
import NetworkAddress
import Synchronization
@testable import SMTPServer

/// `r@home.example` and `postmaster@home.example` are ours, `busy@home.example` cannot be found out about.
struct Directory: RecipientDirectory {
    func standing(of address: EmailAddress) async -> RecipientStanding {
        guard ["home.example", "mx.home.example"].contains(address.domainText) else { return .relay }
        return switch address.localPart {
        case "r", "q", "postmaster", "josé": .local
        case "busy": .unavailable("no database")
        default: .unknown
        }
    }
}

struct OneUser: Authenticator {
    func authenticate(user: String, password: String, client: IPAddress?) async -> AuthenticationOutcome {
        if user == "broken" { return .unavailable("no database") }
        guard user == "alice", password == "secret", let address = EmailAddress("alice@home.example") else { return .failure }
        return .success(Account(name: "alice", addresses: [address]))
    }
}

/// Keeps what it takes; can be made to wait or to refuse.
final class Shelf: MessageSink {
    private let kept = Mutex<[Transaction]>([])
    let reply: SMTPReply?
    let gate: Gate?
    /// LMTP's replies that are no success, by local part.
    let each: [String: SMTPReply]

    init(reply: SMTPReply? = nil, gate: Gate? = nil, each: [String: SMTPReply] = [:]) { (self.reply, self.gate, self.each) = (reply, gate, each) }

    func takeEach(_ transaction: inout Transaction) async -> [SMTPReply] {
        let reply = await take(&transaction)
        return transaction.recipients.map { each[$0.address.localPart] ?? reply }
    }

    var transactions: [Transaction] { kept.withLock { $0 } }

    func take(_ transaction: inout Transaction) async -> SMTPReply {
        await gate?.pass()
        if let reply { return reply }
        kept.withLock { $0.append(transaction) }
        return .queued(as: transaction.id)
    }
}

/// Lets nobody through until it is opened, and tells when somebody waits.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
        var passes = 0
    }
    private let state = Mutex(State())

    func pass() async {
        await withCheckedContinuation { continuation in
            let wake = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                state.passes += 1
                if state.isOpen { return state.watchers + [continuation] }
                state.waiting.append(continuation)
                defer { state.watchers = [] }
                return state.watchers
            }
            for one in wake { one.resume() }
        }
    }

    /// Returns when somebody has come to the gate.
    func reached() async {
        await withCheckedContinuation { continuation in
            let already = state.withLock { state in
                if state.passes == 0 { state.watchers.append(continuation) }
                return state.passes > 0
            }
            if already { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for one in waiting { one.resume() }
    }
}

/// A filter made of one closure, and a log of what it was asked.
final class Script: MailFilter {
    enum Moment: Sendable, Hashable { case connect, helo, mail, rcpt, data, endOfMessage, unknownCommand, abort, close }

    let name = "script"
    let stages: Set<MilterStage>
    let answers: @Sendable (Moment, inout Transaction) -> FilterAnswer
    private let events = Mutex<[Moment]>([])
    let closed = Gate()

    init(stages: Set<MilterStage> = Set(MilterStage.allCases), _ answers: @escaping @Sendable (Moment, inout Transaction) -> FilterAnswer) {
        self.stages = stages
        self.answers = answers
        closed.open()
    }

    var log: [Moment] { events.withLock { $0 } }
    func makeSession() -> any FilterSession { Session(script: self) }

    fileprivate func note(_ moment: Moment) { events.withLock { $0.append(moment) } }

    private struct Session: FilterSession {
        let script: Script

        private func say(_ moment: Moment, _ transaction: inout Transaction) -> FilterAnswer {
            script.note(moment)
            return script.answers(moment, &transaction)
        }
        private func say(_ moment: Moment, _ facts: ConnectionFacts, helo: String = "") -> FilterAnswer {
            var transaction = Transaction(id: "-", connection: facts, helo: helo)
            return say(moment, &transaction)
        }
        func connect(_ connection: ConnectionFacts) async -> FilterAnswer { say(.connect, connection) }
        func helo(_ name: String, _ connection: ConnectionFacts) async -> FilterAnswer { say(.helo, connection, helo: name) }
        func mail(_ transaction: inout Transaction) async -> FilterAnswer { say(.mail, &transaction) }
        func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> FilterAnswer { say(.rcpt, &transaction) }
        func data(_ transaction: inout Transaction) async -> FilterAnswer { say(.data, &transaction) }
        func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer { say(.endOfMessage, &transaction) }
        func unknownCommand(_ line: String) async -> FilterAnswer { say(.unknownCommand, ConnectionFacts(listener: line)) }
        func abort() async { script.note(.abort) }
        func close() async {
            script.note(.close)
            await script.closed.pass()
        }
    }
}
