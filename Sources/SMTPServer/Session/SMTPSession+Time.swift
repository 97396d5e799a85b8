import NIOCore
import SMTPCore

/// One timer for a session, which looks at how far the session has come and sets itself anew.
extension SMTPSession {
    func armTimer() {
        guard let context, !isClosing else { return }
        timer?.cancel()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: max(expiry, context.eventLoop.now + .milliseconds(1))) { bound.value.tick() }
    }

    private func tick() {
        guard let context, !isClosing, !isOver else { return }
        guard context.eventLoop.now >= expiry else { return armTimer() }
        environment.logger.debug("timeout", metadata: ["client": "\(filters.facts.clientAddress?.description ?? "-")"])
        finish { $0.timedOut() }
    }

    /// When patience ends. A command line must be complete in time, however slowly its octets come; a message must come
    /// at the minimum rate. Time in which the client waits for us does not count.
    private var expiry: NIODeadline {
        let timeout = environment.configuration.commandTimeout
        guard !hasQuestionOpen, !isSpilling else { return (context?.eventLoop.now ?? .now()) + timeout }
        let byProgress = lastProgress + timeout
        guard let contentBegan else { return byProgress }
        let allowance = TimeAmount.seconds(Int64(contentOctets / max(environment.configuration.minimumDataRate, 1)))
        return min(byProgress, contentBegan + timeout + timeout + allowance)
    }
}
