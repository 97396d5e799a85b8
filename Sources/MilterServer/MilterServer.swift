import BlockingPool
import CMilter
import Foundation
import Logging
import Milter
import Synchronization

/// Lets a foreign MTA drive the filter chain over the milter protocol, version 6, through libmilter.
///
/// libmilter keeps its state in globals and serves once in the life of a process, so one server can start in a
/// process, once. Reload does not need more: each client's session takes a fresh chain.
public final class MilterServer: Sendable {
    private let configuration: MilterServerConfiguration
    private let chain: @Sendable () -> FilterChain
    private let environment: Conversation.Environment
    private let negotiations = NegotiationTable()
    private let ending = Ending()
    private let serving = Atomic(false)

    /// The server that libmilter's callbacks reach. They get no context of ours at negotiation, and libmilter's own
    /// state is as global as this.
    private static let started = Mutex<MilterServer?>(nil)
    static var current: MilterServer? { started.withLock { $0 } }

    /// - Parameters:
    ///   - chain: the filters for the next client; called at every connection.
    ///   - makeID: a fresh ``Transaction/id``.
    ///   - pool: where filters run; libmilter's own threads wait for them.
    ///   - observer: told how each message ended, for its record.
    ///   - accepted: told of each message that the chain let pass, with the MTA's own name for it (macro `i`).
    public init(configuration: MilterServerConfiguration, chain: @escaping @Sendable () -> FilterChain,
                makeID: @escaping @Sendable () -> String, pool: BlockingPool, logger: Logger,
                observer: (any TransactionObserver)? = nil, accepted: @escaping @Sendable (String, Transaction) -> Void = { _, _ in }) {
        self.configuration = configuration
        self.chain = chain
        environment = Conversation.Environment(configuration: configuration, pool: pool, makeID: makeID, logger: logger, accepted: accepted,
                                                observer: observer)
    }

    /// Binds the socket and begins to serve. When it returns, connections are taken. Blocks for a host look-up.
    /// - Throws: ``MilterServerError``.
    public func start() throws {
        try bind()
        serve()
    }

    /// Binds the socket. Clients wait unanswered until ``serve()``: a process that gives up root does so between. Blocks
    /// for a host look-up.
    /// - Throws: ``MilterServerError``.
    public func bind() throws {
        let socket = try MilterSocket(configuration.socket)
        let isFirst = Self.started.withLock { current in
            guard current == nil else { return false }
            current = self
            return true
        }
        guard isFirst else { throw MilterServerError.alreadyStarted }
        do { try listen(on: socket) } catch {
            Self.started.withLock { $0 = nil }
            throw error
        }
        environment.logger.info("milter: listening on \(socket.libmilterText)")
    }

    /// Serves what ``bind()`` bound.
    public func serve() {
        serving.store(true, ordering: .sequentiallyConsistent)
        let thread = Thread { [environment, ending] in
            let result = smfi_main()
            if result != MI_SUCCESS { environment.logger.critical("milter: libmilter ended with an error; see the system log") }
            ending.reach()
        }
        thread.name = "milter"
        thread.start()
    }

    private func listen(on socket: MilterSocket) throws {
        guard postern_smfi_setconn(socket.libmilterText) == MI_SUCCESS else {
            throw MilterServerError.badSocket(configuration.socket, reason: "libmilter does not take it")
        }
        guard register() == MI_SUCCESS else { throw MilterServerError.registrationFailed }
        smfi_settimeout(Int32(clamping: configuration.connectionTimeout))
        smfi_setbacklog(128)
        socket.removeIfStale()
        // Binds here and now, so that a busy port is known at once; smfi_main would only log it.
        guard smfi_opensocket(false) == MI_SUCCESS else {
            throw MilterServerError.cannotListen(configuration.socket, reason: socket.bindFailure())
        }
        if let port = socket.port { ListeningSocket.sendAtOnce(port: port) }
        // Nobody is served before serve(): who comes too early for the group and mode waits or tries again.
        if let failure = socket.open(to: configuration.socketGroup, mode: configuration.socketMode) {
            socket.remove()
            throw MilterServerError.cannotListen(configuration.socket, reason: failure)
        }
    }

    /// libmilter copies the name it logs under.
    private func register() -> Int32 {
        var table = Callbacks.description()
        table.xxfi_name = strdup("postern")
        defer { free(table.xxfi_name) }
        return smfi_register(table)
    }

    /// Stops listening and returns when libmilter's thread has ended. Sessions in progress end with their MTA's next
    /// command.
    public func stop() async {
        guard Self.current === self else { return }
        let socket = try? MilterSocket(configuration.socket)
        let (pool, hasStopped) = (environment.pool, Ending())
        async let stopping: Void? = try? pool.run {
            smfi_stop()
            hasStopped.reach()
        }
        // The listener holds a lock that smfi_stop wants, and looks up only when somebody connects, or after 5 s: so
        // somebody connects, again if it was too early.
        while serving.load(ordering: .sequentiallyConsistent), !hasStopped.isReached {
            try? await pool.run { socket?.knock() }
            try? await Task.sleep(for: .milliseconds(20))
        }
        await stopping
        if serving.load(ordering: .sequentiallyConsistent) { await ending.wait() }
        // libmilter takes the name away itself where it may.
        socket?.removeIfStale()
    }

    func negotiate(offeredActions: Int, offeredProtocol: Int, in context: OpaquePointer) -> Negotiation {
        let chain = chain()
        let negotiation = Negotiation(stages: chain.stages, changes: chain.changes, offeredActions: offeredActions, offeredProtocol: offeredProtocol)
        negotiations.set(negotiation, for: context)
        return negotiation
    }

    /// - Returns: nil when nothing was negotiated there.
    func makeConversation(in context: OpaquePointer) -> Conversation? {
        negotiations.value(for: context).map { Conversation(chain: chain(), negotiation: $0, environment: environment) }
    }
}

/// Something that happens once and can be waited for.
private final class Ending: Sendable {
    private struct State {
        var reached = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Mutex(State())

    func reach() {
        let waiters = state.withLock { state in
            state.reached = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    var isReached: Bool { state.withLock { $0.reached } }

    func wait() async {
        await withCheckedContinuation { continuation in
            let already = state.withLock { state in
                if !state.reached { state.waiters.append(continuation) }
                return state.reached
            }
            if already { continuation.resume() }
        }
    }
}
