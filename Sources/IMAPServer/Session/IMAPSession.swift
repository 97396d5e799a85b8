import Accounts
import IMAPCore
import Logging
import MailStore
import NIOCore
import SASL

/// One client's session, from greeting to BYE. It runs as a task on the blocking pool: it may call the store in a
/// straight line, and holds no thread while it waits for the client.
final class IMAPSession {
    let environment: SessionEnvironment
    let connection: Connection
    var framer: CommandFramer
    var state: SessionState
    /// Answers not sent yet.
    var out = ResponseWriter()
    var account: Account?
    var mailboxes: Mailboxes?
    var selection: Selection?
    var append: AppendInProgress?
    /// What `$` stands for, ascending (RFC 5182).
    var savedUIDs: [UInt32] = []
    /// Results that are kept up to date for the client (RFC 5267).
    var contexts = SearchContexts()
    /// Since NOTIFY was used first.
    var notifications: Notifications?
    var failedLogIns = 0
    /// Until the log-in: what SCRAM-SHA-256-PLUS binds to.
    var channelBindings: [String: [UInt8]] = [:]
    var isCompressed = false
    var isFinished = false
    private let logInDeadline: NIODeadline
    private var lastHeard = NIODeadline.now()

    /// A folder that is open.
    struct Selection {
        let name: MailboxName
        let mailbox: Mailbox
        let readOnly: Bool
        let token: Mailbox.ObservationToken
        var view: MailboxView
    }

    init(environment: SessionEnvironment, connection: Connection) {
        self.environment = environment
        self.connection = connection
        let configuration = environment.configuration
        framer = CommandFramer(limits: .init(append: configuration.maximumMessageSize))
        let isLocal = connection.client?.isLoopback ?? false
        state = SessionState(
            isTLS: configuration.implicitTLS, offersTLS: !configuration.implicitTLS && environment.tls() != nil,
            allowsPlaintext: configuration.allowPlaintextLoginOnLoopback && isLocal, canEnable: Self.canEnable)
        logInDeadline = .now() + configuration.logInTimeout
    }

    private static let canEnable: Set<String> = ["CONDSTORE", "QRESYNC", "UTF8=ACCEPT", "IMAP4REV2"]

    /// What CAPABILITY lists now.
    var capabilities: [String] {
        var extensions = SessionState.extensions + ["APPENDLIMIT=\(environment.configuration.maximumMessageSize)"]
        if environment.quota != nil { extensions += ["QUOTA", "QUOTA=RES-STORAGE"] }
        return state.capabilities(mechanisms: mechanisms, extensions: extensions)
    }

    /// SASL mechanisms that can be done on this connection.
    var mechanisms: [String] { SASLExchange.mechanisms(offersSCRAM: environment.scramAuthenticator != nil, bindings: channelBindings) }

    func run() async {
        do {
            if environment.configuration.implicitTLS {
                guard let tls = await connection.handshake(timeout: environment.configuration.logInTimeout) else { return }
                channelBindings = tls.channelBindings
            }
            greet()
            try await flush()
            while !isFinished {
                if let event = framer.next() { try await handle(event) } else { try await read() }
                try await flush()
            }
        } catch {
            // The client is gone; there is nobody to tell.
        }
        stopNotifying()
        deselect()
        await connection.close()
    }

    // MARK: Wire

    func respond(_ response: Response) { response.encode(into: &out) }
    func respond(_ tag: String, _ condition: Condition) { respond(.tagged(tag, condition)) }

    func flush() async throws { try await connection.send(out.take()) }

    /// Sends early when much has gathered, so that a long answer costs little memory.
    func flushIfLarge() async throws {
        if out.bytes.count >= 32_768 { try await flush() }
    }

    func bye(_ text: String, code: ResponseCode? = nil) {
        respond(.untagged(Condition(.bye, code: code, text)))
        state.didLogOut()
        isFinished = true
    }

    private func greet() {
        respond(.untagged(.ok("\(environment.configuration.serverName) IMAP ready", code: .capability(capabilities))))
    }

    /// Waits for octets and feeds them. Ends the session when none come in time (RFC 3501 §5.4).
    func read() async throws {
        let end = state.isAuthenticated ? lastHeard + environment.configuration.idleTimeout : logInDeadline
        let left = max(end - .now(), .zero)
        // RFC 5465 §3.1: events are told also between commands; not inside of one.
        let tells = notifications?.isActive == true && framer.buffered == 0 && append == nil
        switch await connection.next(wakeable: tells, timeout: tells ? min(left, environment.configuration.pollInterval) : left) {
        case .bytes(let buffer):
            lastHeard = .now()
            framer.feed(buffer.readableBytesView)
        case .timeout where end > .now(): try await tellEvents(looksEverywhere: true, isIdle: false)
        case .timeout: bye(state.isAuthenticated ? "idle for too long" : "no log-in in time")
        case .shutdown: bye("the server is going down", code: .unavailable)
        case .closed: throw ConnectionClosed()
        case .wake: try await tellEvents(looksEverywhere: false, isIdle: false)
        }
    }

    private func handle(_ event: CommandFramer.Event) async throws {
        switch event {
        case .needContinuation: respond(.continuation("go on"))
        case .command(let bytes): try await command(bytes)
        case .line: break
        case .append(let step):
            try await append(step)
            if append == nil { try await tellArrivals() }
        case .failed(let error):
            append = nil
            respond(error.response)
        case .fatal(let error):
            append = nil
            respond(error.response)
            bye("the commands can no longer be told apart")
        }
    }

    private func command(_ bytes: [UInt8]) async throws {
        let parsed: TaggedCommand
        do throws(CommandError) { parsed = try CommandParser.parse(bytes, utf8Names: state.usesUTF8) } catch { return respond(error.response) }
        if case .refused(let condition) = state.admission(of: parsed.command) { return respond(parsed.tag, condition) }
        do { try await run(parsed.command, tag: parsed.tag) } catch let error as StoreError { fail(parsed.tag, error) }
        lastHeard = .now()
        try await tellArrivals()
    }

    /// Answers with a store's error; what an administrator should know is logged.
    func fail(_ tag: String, _ error: StoreError, creating: Bool = false) {
        log(error)
        respond(tag, error.condition(creating: creating))
    }

    func log(_ error: StoreError) {
        guard error.deservesLog else { return }
        environment.logger.error("mail store", metadata: ["account": "\(account?.name ?? "")", "error": "\(error)"])
    }
}
