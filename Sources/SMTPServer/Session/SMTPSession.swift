import Accounts
import BlockingPool
import InternetMessage
import Milter
import NetworkAddress
import NIOCore
import SMTPCore
import TLS

/// A channel handler around a ``ServerStateMachine``: octets to it, its actions to the channel, to the filters and to
/// the sink. Everything here runs on the channel's event loop.
///
/// While a body is spilled or the client does not read its replies, nothing more is read; while a question is open, one
/// read at the most: a client that waits for the reply sends nothing, and its socket need not be taken off the selector.
final class SMTPSession: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let environment: SessionEnvironment
    let listener: SMTPListener
    var machine: ServerStateMachine
    var filters: FilterState
    var account: Account?
    /// Whose keys the SCRAM exchange under way goes by; nobody's for a user who does not exist.
    var scramAccount: Account?
    var hello = ""
    /// What the client called itself to the proxy in front of us (XCLIENT); it stands over what the proxy says.
    var helloOfClient: String?
    var content: IncomingContent?
    /// Why the content could not be kept.
    var contentRefusal: SMTPReply?
    let tlsContext: TLSContext?
    var context: ChannelHandlerContext?
    /// The last abort told to the filters; what comes next waits for it.
    var cleanup: Task<Void, Never>?

    /// Octets received and not taken yet.
    var inbound = ByteBuffer()
    /// Replies not sent yet: all that one read brings about leave in one write.
    var outbound = ByteBuffer()
    var isSpilling = false
    var isProcessing = false
    var wantsRead = false
    var isClosing = false
    /// The connection is gone.
    var isOver = false
    var hasStarted = false
    /// A graceful end was asked for before the session began.
    var drainsAtStart = false

    var timer: Scheduled<Void>?
    var lastProgress = NIODeadline.now()
    var contentBegan: NIODeadline?
    var contentOctets = 0
    private var admittedAs: (channel: any Channel, client: IPAddress?)?

    init(environment: SessionEnvironment, listener: SMTPListener, tlsContext: TLSContext?, facts: ConnectionFacts) {
        self.environment = environment
        self.listener = listener
        self.tlsContext = tlsContext
        var settings = environment.configuration.settings(for: listener, client: facts.clientAddress, hasTLS: tlsContext != nil)
        settings.offersSCRAM = environment.scramAuthenticator != nil
        machine = ServerStateMachine(settings: settings, isTLS: listener.implicitTLS)
        filters = FilterState(environment.chain(listener), facts: facts)
    }

    // MARK: The channel's events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { connected(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        over()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        connected(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        over()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as TLSHandshakeCompleted: handshakeCompleted(event)
        case is DrainRequested:
            if hasStarted { finish { $0.shutDown() } } else { drainsAtStart = true }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A peer that drops TLS without close_notify, or resets: usual on the net, and the end in any case.
        environment.logger.debug("connection: \(error)", metadata: ["client": "\(filters.facts.clientAddress?.description ?? "-")"])
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        var buffer = unwrapInboundIn(data)
        if inbound.readableBytes == 0 { inbound = buffer } else {
            // Else a client that always leaves a part of a line behind would make it grow without end.
            inbound.discardReadBytes()
            inbound.writeBuffer(&buffer)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { process() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { process() }
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        if isPaused { wantsRead = true } else { context.read() }
    }

    /// Whether to leave octets in the socket.
    var isPaused: Bool {
        guard !isClosing, hasStarted else { return false }
        return isSpilling || (machine.isWaiting && !isHandshaking && inbound.readableBytes > 0) || context?.channel.isWritable == false || inbound.readableBytes > 65536
    }

    var isHandshaking = false
    var hasLookedUpName = false

    // MARK: Beginning and end

    private func connected(_ context: ChannelHandlerContext) {
        guard admittedAs == nil, !isOver else { return }
        lastProgress = context.eventLoop.now
        let limited = filters.facts.isOwnNetwork || listener.speaks == .lmtp ? nil : filters.facts.clientAddress
        switch environment.registry.admit(context.channel, client: limited) {
        case .admitted: admittedAs = (context.channel, limited)
        case .tooMany: return turnAway("Error: too many connections")
        case .tooManyFromClient: return turnAway("Error: too many connections from \(limited?.description ?? "you")")
        case .shuttingDown: return turnAway("Service shutting down, try again later")
        }
        if rateIsExceeded(.connection) { return turnAway("Error: too many connections from \(limited?.description ?? "you")") }
        environment.logger.debug("connected", metadata: ["client": "\(filters.facts.clientAddress?.description ?? "-")", "listener": "\(listener.name)"])
        if !listener.implicitTLS { start() }
    }

    /// Before TLS too: a client that waits for a handshake sees the connection end.
    private func turnAway(_ text: String) {
        isClosing = true
        guard !listener.implicitTLS else {
            context?.close(promise: nil)
            return
        }
        outbound.writeString(SMTPReply(421, "4.7.0", "\(environment.configuration.hostname.text) \(text)").wire)
        closeWhenSent(linger: true)
    }

    private func handshakeCompleted(_ event: TLSHandshakeCompleted) {
        let info = event.info
        if listener.offersAuthentication { machine.channelBindings = event.channelBindings }
        filters.facts.tls = TLSFacts(version: info.version, cipher: info.cipher, cipherBits: info.bits, serverName: info.serverName)
        isHandshaking = false
        guard hasStarted else { return start() }
        filters.facts.authenticatedUser = nil
        filters.facts.authenticationMechanism = nil
        account = nil
        finish { $0.tlsStarted() }
    }

    private func start() {
        guard !hasStarted, !isOver else { return }
        hasStarted = true
        armTimer()
        finish { $0.start() }
        if drainsAtStart { finish { $0.shutDown() } }
    }

    /// Lets the machine do something that is not about octets, performs it, and goes on.
    func finish(_ step: (inout ServerStateMachine) -> [ServerAction]) {
        guard !isOver else { return }
        perform(step(&machine), base: 0)
        process()
    }

    private func over() {
        guard !isOver else { return }
        isOver = true
        isClosing = true
        timer?.cancel()
        inbound = ByteBuffer()
        outbound = ByteBuffer()
        if let admitted = admittedAs { environment.registry.release(admitted.channel, client: admitted.client) }
        // A question that is open has the filters; they are told of the end when it is answered.
        if !hasQuestionOpen { farewell() }
    }

    var hasQuestionOpen = false

    /// Tells the filters that the connection is over, and a message in progress given up.
    func farewell() {
        filters.name?.cancel()
        filters.name = nil
        if filters.transaction != nil { noteGivenUp(nil) }
        guard hasStarted, !filters.isEmpty else { return filters.endMessage() }
        let (chain, inMail, before) = (filters.chain, filters.transaction != nil, cleanup)
        cleanup = startAtOnce {
            await before?.value
            if inMail { await chain.abort() }
            await chain.close()
        }
        filters.transaction = nil
    }
}
