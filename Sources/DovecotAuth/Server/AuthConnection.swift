import Foundation
import NIOCore
import NetworkAddress

/// A channel handler around an ``AuthServerMachine``. Everything here runs on the channel's event loop.
///
/// An idle connection may stay: Postfix keeps one for each of its processes, and takes the end of one for a failure.
final class AuthConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let environment: AuthEnvironment
    private var machine = AuthServerMachine(processID: 0, connectionID: 0, cookie: "")
    private var inbound = ByteBuffer()
    private var context: ChannelHandlerContext?
    private var handshakeTimer: Scheduled<Void>?
    private var expiryTimer: Scheduled<Void>?
    private var isOver = false
    private var isAdmitted = false
    /// Checks under way. The token tells an answer that is waited for from one that comes too late, when the client may
    /// have begun another log-in under the same number.
    private var checks: [UInt32: (token: UInt64, work: Task<Void, Never>, deadline: Scheduled<Void>)] = [:]
    private var lastToken: UInt64 = 0

    init(_ environment: AuthEnvironment) { self.environment = environment }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        guard let number = environment.admit(context.channel) else {
            environment.logger.warning("too many connections to the authentication socket")
            isOver = true
            context.close(promise: nil)
            return
        }
        isAdmitted = true
        let cookie = (0..<16).map { _ in String(UInt16.random(in: 0...255) | 0x100, radix: 16).dropFirst() }.joined()
        machine = AuthServerMachine(processID: ProcessInfo.processInfo.processIdentifier, connectionID: number, cookie: cookie)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        handshakeTimer = context.eventLoop.scheduleTask(in: environment.configuration.handshakeTimeout) {
            if !bound.value.machine.isReady { bound.value.close("the client did not say who it is") }
        }
        perform(machine.start(offersSCRAM: environment.authenticator.offersSCRAM))
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        isOver = true
        handshakeTimer?.cancel()
        expiryTimer?.cancel()
        for check in checks.values { Self.end(check) }
        checks = [:]
        if isAdmitted { environment.release(context.channel) }
        self.context = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        environment.logger.debug("authentication socket: \(error)")
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        inbound.writeBuffer(&buffer)
        while !isOver, let end = inbound.readableBytesView.firstIndex(of: 10) {
            let line = inbound.readableBytesView[..<end]
            let actions = machine.take(line, now: now)
            inbound.moveReaderIndex(to: end + 1)
            perform(actions)
        }
        inbound.discardReadBytes()
        if inbound.readableBytes > AuthServerMachine.lineLimit { close("a line is too long") }
    }

    private var now: Int { Int((context?.eventLoop.now ?? .now()).uptimeNanoseconds / 1_000_000_000) }

    private func perform(_ actions: [AuthAction]) {
        var out = ByteBuffer()
        for action in actions {
            switch action {
            case .send(let line): out.writeString(line + "\n")
            case .ask(let id, let question): ask(id, question)
            case .noteProof(let user, let client, let key): environment.authenticator.scramEnded(user: user, client: client, provenKey: key)
            case .logFailure(let failure): log(failure)
            case .close(let reason): close(reason)
            }
        }
        if out.readableBytes > 0, let context { context.writeAndFlush(wrapOutboundOut(out), promise: nil) }
        armExpiry()
    }

    private func close(_ reason: String) {
        guard !isOver else { return }
        isOver = true
        environment.logger.warning("authentication socket: connection closed: \(reason)")
        context?.close(promise: nil)
    }

    /// The fields that log watchers look for are those of our own SMTP and IMAP servers.
    private func log(_ failure: AuthFailure) {
        environment.logger.notice("authentication failed", metadata: [
            "client": "\(failure.client ?? "-")", "mechanism": "\(failure.mechanism)", "service": "\(failure.service)", "reason": "\(failure.reason)",
        ])
    }

    // MARK: Deadlines

    /// One timer while anything is under way.
    private func armExpiry() {
        guard let context, expiryTimer == nil, !machine.underWay.isEmpty, !isOver else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        expiryTimer = context.eventLoop.scheduleTask(in: .seconds(5)) { bound.value.expire() }
    }

    private func expire() {
        expiryTimer = nil
        guard !isOver else { return }
        perform(machine.expire(before: now - Int(environment.configuration.requestTimeout.nanoseconds / 1_000_000_000)))
    }

    /// Asks the accounts; whatever comes first, the answer or the deadline, is what the machine hears.
    private func ask(_ id: UInt32, _ question: AuthQuestion) {
        guard let loop = context?.eventLoop else { return }
        let environment = environment
        let bound = NIOLoopBound(self, eventLoop: loop)
        lastToken += 1
        let token = lastToken
        let work = Task {
            let answer = await environment.find(question)
            loop.execute { bound.value.answered(id, token, answer) }
        }
        let deadline = loop.scheduleTask(in: environment.configuration.checkTimeout) {
            bound.value.answered(id, token, .unavailable("the check took too long, or too many log-ins from this address failed before"))
        }
        if let before = checks.updateValue((token, work, deadline), forKey: id) { Self.end(before) }
    }

    private func answered(_ id: UInt32, _ token: UInt64, _ answer: AuthAnswer) {
        guard !isOver, let check = checks[id], check.token == token else { return }
        checks[id] = nil
        Self.end(check)
        perform(machine.answer(id, answer))
    }

    private static func end(_ check: (token: UInt64, work: Task<Void, Never>, deadline: Scheduled<Void>)) {
        check.work.cancel()
        check.deadline.cancel()
    }
}
