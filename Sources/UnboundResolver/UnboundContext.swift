import CUnbound
import DNS
import Foundation
import NetworkAddress
import Synchronization

/// One `ub_ctx`, the thread that reads its answers, and who waits for them. ``close()`` must be called to end it.
final class UnboundContext: Sendable {
    /// The C context. Sendable by proof: libunbound locks a context itself; it is deleted once, by ``close()``, after the
    /// thread that processes answers has ended and while no question is being put (`asking` is 0 and stays so).
    private struct Handle: @unchecked Sendable { let pointer: OpaquePointer }

    private struct Waiting {
        /// Nil once the asker has given up; the question stays until libunbound answers or its deadline.
        var continuation: CheckedContinuation<DNSResponse, Never>?
        /// What travels through C as the callback's argument; released when it comes back or is cancelled.
        let ticket: Unmanaged<Ticket>
        /// libunbound's number for `ub_cancel`; nil until it has said.
        var asyncID: Int32?
    }

    private struct State {
        var closed = false
        var asking = 0
        var waiting: [UInt: Waiting] = [:]
        /// In the order of their deadlines, since all have the same time-out; `swept` are done with.
        var order: [(id: UInt, deadline: ContinuousClock.Instant)] = []
        var swept = 0
        var lastID: UInt = 0
    }

    /// Names one question in C's hands.
    private final class Ticket: Sendable {
        let context: UnboundContext
        let id: UInt
        init(context: UnboundContext, id: UInt) {
            self.context = context
            self.id = id
        }
    }

    private let handle: Handle
    private let state = Mutex(State())
    private let timeout: Duration
    private let inFlightLimit: Int
    private let ended = DispatchSemaphore(value: 0)
    private let wakeUp: (read: Int32, write: Int32)

    init(_ configuration: UnboundConfiguration) throws {
        timeout = configuration.timeout
        inFlightLimit = configuration.inFlightLimit
        handle = Handle(pointer: try UnboundSetup.context(configuration))
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            ub_ctx_delete(handle.pointer)
            throw UnboundError(what: "pipe", reason: String(cString: strerror(errno)))
        }
        wakeUp = (ends[0], ends[1])
        Thread {
            Thread.current.name = "dns"
            self.serve()
        }.start()
    }

    func ask(_ question: DNSQuestion) async -> DNSResponse {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                put(question, id, continuation)
                // A cancellation before the question was registered found nothing to give up.
                if Task.isCancelled { giveUp(id) }
            }
        } onCancel: {
            giveUp(id)
        }
    }

    /// The asker wants no answer any more. The entry stays, so that the ticket is still accounted for.
    private func giveUp(_ id: UInt) {
        let continuation = state.withLock { state in
            defer { state.waiting[id]?.continuation = nil }
            return state.waiting[id]?.continuation
        }
        continuation?.resume(returning: DNSResponse(.temporaryFailure("the question was cancelled")))
    }

    func close() {
        let first = state.withLock { state in
            defer { state.closed = true }
            return !state.closed
        }
        guard first else { return }
        var byte: UInt8 = 0
        _ = write(wakeUp.write, &byte, 1)
        ended.wait()
        while state.withLock({ $0.asking > 0 }) { usleep(1000) }
        let rest = state.withLock { state in
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        ub_ctx_delete(handle.pointer)
        for one in rest {
            one.ticket.release()
            one.continuation?.resume(returning: DNSResponse(.temporaryFailure("the resolver was closed")))
        }
        Foundation.close(wakeUp.read)
        Foundation.close(wakeUp.write)
    }

    // MARK: Questions

    private func put(_ question: DNSQuestion, _ id: UInt, _ continuation: CheckedContinuation<DNSResponse, Never>) {
        switch register(id, continuation) {
        case .failure(let refusal): continuation.resume(returning: DNSResponse(.temporaryFailure(refusal.text)))
        case .success(let ticket):
            var asyncID: Int32 = 0
            let error = ub_resolve_async(handle.pointer, question.name.presentation,
                                         Int32(question.type.rawValue), 1, ticket.toOpaque(), Self.callback, &asyncID)
            let refused = state.withLock { state -> Waiting? in
                state.asking -= 1
                guard error != 0 else {
                    state.waiting[id]?.asyncID = asyncID
                    return nil
                }
                return state.waiting.removeValue(forKey: id)
            }
            refused?.ticket.release()
            refused?.continuation?.resume(returning: DNSResponse(.temporaryFailure(String(cString: ub_strerror(error)))))
        }
    }

    private struct Refusal: Error { let text: String }

    private func register(_ id: UInt, _ continuation: CheckedContinuation<DNSResponse, Never>) -> Result<Unmanaged<Ticket>, Refusal> {
        let deadline = ContinuousClock.now + timeout
        return state.withLock { state in
            if state.closed { return .failure(Refusal(text: "the resolver is closed")) }
            guard state.waiting.count < inFlightLimit else {
                return .failure(Refusal(text: "the resolver is busy: \(inFlightLimit) questions are under way"))
            }
            let ticket = Unmanaged.passRetained(Ticket(context: self, id: id))
            state.waiting[id] = Waiting(continuation: continuation, ticket: ticket, asyncID: nil)
            state.order.append((id, deadline))
            state.asking += 1
            return .success(ticket)
        }
    }

    // MARK: Answers, on the thread of ours

    private func serve() {
        let descriptor = ub_fd(handle.pointer)
        while true {
            var events = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: wakeUp.read, events: Int16(POLLIN), revents: 0)]
            _ = poll(&events, 2, 250)
            if events[1].revents != 0 { break }
            if events[0].revents != 0 { ub_process(handle.pointer) }
            expire()
        }
        ended.signal()
    }

    private static let callback: ub_callback_type = { argument, error, result in
        guard let argument else { return }
        let ticket = Unmanaged<Ticket>.fromOpaque(argument).takeRetainedValue()
        ticket.context.finish(ticket.id, UnboundAnswer.response(error, result))
        ub_resolve_free(result)
    }

    private func finish(_ id: UInt, _ response: DNSResponse) {
        state.withLock { $0.waiting.removeValue(forKey: id) }?.continuation?.resume(returning: response)
    }

    /// Gives up what is past its deadline. libunbound's own patience with a dead server was 17 seconds.
    private func expire() {
        let now = ContinuousClock.now
        let late = state.withLock { state -> [Waiting] in
            var late: [Waiting] = []
            while state.swept < state.order.count, state.order[state.swept].deadline <= now || state.waiting[state.order[state.swept].id] == nil {
                let id = state.order[state.swept].id
                // Without a number yet the question is being put this moment: the next sweep takes it.
                if let one = state.waiting[id], one.asyncID == nil { break }
                if let one = state.waiting.removeValue(forKey: id) { late.append(one) }
                state.swept += 1
            }
            if state.swept > 1024 || state.swept == state.order.count {
                state.order.removeFirst(state.swept)
                state.swept = 0
            }
            return late
        }
        for one in late {
            // After ub_cancel the callback never comes; both run on this thread, so it cannot be under way either.
            if let asyncID = one.asyncID, ub_cancel(handle.pointer, asyncID) == 0 { one.ticket.release() }
            one.continuation?.resume(returning: DNSResponse(.temporaryFailure("timed out after \(timeout)")))
        }
    }
}
