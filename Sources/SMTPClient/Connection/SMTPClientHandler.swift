import InternetMessage
import NIOCore
import SASL
import SMTPCore
import TLS

/// Carries octets, timers and TLS between a channel and the session; every decision is the session's.
///
/// Used on its event loop only.
final class SMTPClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var session: SMTPClientSession
    private let tls: ClientTLS?
    private let serverName: String
    private let peer: TLSDemand.Peer
    private let overall: TimeAmount
    private var context: ChannelHandlerContext?
    private var deadline: Scheduled<Void>?
    private var lastDeadline: Scheduled<Void>?
    private var readiness: EventLoopPromise<ServerExtensions>
    private var report: EventLoopPromise<TransactionReport>?
    private var content: OutgoingMessage?
    private var pump: Task<Void, Never>?
    private(set) var tlsDescription: String?
    private var isHandshaking = false
    private var isOver = false
    /// Why the session is over, for a transaction that comes too late.
    private var ending: SessionFailure?

    /// - Parameter overall: the session's last moment, whatever it does.
    init(_ configuration: SMTPClientSession.Configuration, tls: ClientTLS?, serverName: String, peer: TLSDemand.Peer, overall: TimeAmount,
         readiness: EventLoopPromise<ServerExtensions>) {
        session = SMTPClientSession(configuration)
        self.tls = tls
        self.serverName = serverName
        self.peer = peer
        self.overall = overall
        self.readiness = readiness
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { start(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    private func start(_ context: ChannelHandlerContext) {
        guard lastDeadline == nil else { return }
        limit(to: overall, context)
        perform(session.connected())
    }

    /// Whatever the session does, it ends then.
    private func limit(to time: TimeAmount, _ context: ChannelHandlerContext) {
        lastDeadline?.cancel()
        lastDeadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            guard let self else { return }
            self.perform(self.session.abort(.timedOut(at: "the whole delivery to end")))
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        perform(session.received(unwrapInboundIn(data).readableBytesView))
    }

    func channelInactive(context: ChannelHandlerContext) {
        perform(isHandshaking ? session.abort(.tlsFailed("the server closed the connection during the handshake")) : session.connectionClosed())
        finishUp(.connectionLost(at: "the server"))
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finishUp(.connectionLost(at: "the server"))
        self.context = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let description = tls?.handshakeCompleted(event) {
            tlsDescription = description
            isHandshaking = false
            perform(session.tlsEstablished())
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isHandshaking, let fault = (error as? TLSError)?.certificateFault {
            perform(session.abort(.untrusted(UntrustedCertificate(fault), "\(error)")))
        }
        perform(isHandshaking ? session.abort(.tlsFailed("\(error)")) : session.abort(.protocolError(at: "the connection", "\(error)")))
        context.close(promise: nil)
    }

    /// Begins a transaction; the promise gets its report, whatever happens.
    func begin(_ transaction: ClientTransaction, _ message: OutgoingMessage, within time: TimeAmount, _ promise: EventLoopPromise<TransactionReport>) {
        guard !isOver, report == nil else {
            promise.succeed(TransactionReport(unsent: transaction, ending ?? .connectionLost(at: "the reply to MAIL")))
            return
        }
        report = promise
        content = message
        if let context { limit(to: time, context) }
        perform(session.begin(transaction))
    }

    func quit() { perform(session.quit()) }

    private func perform(_ actions: [SMTPClientSession.Action]) {
        for action in actions { perform(action) }
    }

    private func perform(_ action: SMTPClientSession.Action) {
        switch action {
        case .send(let bytes): write(bytes)
        case .startTLS: startTLS()
        case .ready(let extensions): readiness.succeed(extensions)
        case .sendContent(let form): sendContent(form)
        case .deriveProof(let exchange): deriveProof(exchange)
        case .deadline(let duration): schedule(duration)
        case .noDeadline: deadline?.cancel()
        case .finished(let outcome):
            pump?.cancel()
            report?.succeed(outcome)
            report = nil
            content = nil
        case .failed(let failure): finishUp(failure)
        case .close:
            isOver = true
            context?.close(promise: nil)
        }
    }

    private func write(_ bytes: [UInt8]) {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
    }

    private func schedule(_ duration: Duration) {
        deadline?.cancel()
        deadline = context?.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(duration)) { [weak self] in
            guard let self else { return }
            self.perform(self.session.timedOut())
        }
    }

    private func startTLS() {
        guard let tls, let context else { return perform(session.abort(.tlsFailed("no TLS is set up here"))) }
        do {
            isHandshaking = true
            try context.pipeline.syncOperations.addHandler(tls.makeHandler(serverName, peer), position: .first)
        } catch {
            perform(session.abort(.tlsFailed("\(error)")))
        }
    }

    /// Ends all waits: nobody waits on a promise of a session that is over.
    private func finishUp(_ failure: SessionFailure) {
        isOver = true
        ending = ending ?? failure
        deadline?.cancel()
        lastDeadline?.cancel()
        pump?.cancel()
        readiness.fail(failure)
        report?.fail(failure)
        report = nil
    }
}

extension SMTPClientHandler {
    /// Sends the content piece by piece, each when the transport has taken the one before.
    private func sendContent(_ form: SMTPClientSession.ContentForm) {
        guard let content, let context else { return }
        let sender = ContentSender(message: content, channel: context.channel, form: form)
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        pump = Task {
            do {
                try await sender.send(progressed: { me.execute { $0.progressed() } },
                                      sending: { isLast in me.execute { $0.perform(isLast ? $0.session.contentSent() : $0.session.chunkSent()) } })
            } catch is CancellationError {
            } catch let error as ContentSender.Unreadable {
                me.execute { $0.perform($0.session.abort(.contentUnavailable(error.reason))) }
            } catch {
                // A write that failed: the channel's own end tells why.
                me.execute { $0.context?.close(promise: nil) }
            }
        }
    }

    /// Thousands of rounds of a hash, on purpose: not on the event loop.
    private func deriveProof(_ exchange: SCRAMClient) {
        guard let context else { return }
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        Task.detached {
            let (derived, proof) = exchange.proved()
            me.execute { $0.perform($0.session.proofDerived(derived, proof)) }
        }
    }

    private func progressed() { perform(session.contentProgressed()) }
}

extension UntrustedCertificate {
    fileprivate init(_ fault: CertificateFault) {
        switch fault {
        case .hostMismatch: self = .hostMismatch
        case .expired: self = .expired
        case .noTLSAMatch: self = .noTLSAMatch
        case .untrusted: self = .untrusted
        }
    }
}

extension NIOLoopBound {
    /// Runs the closure with the value on its loop.
    fileprivate func execute(_ work: @escaping @Sendable (Value) -> Void) {
        eventLoop.execute { work(self.value) }
    }
}
