import NetworkAddress
import Synchronization

/// Remembers answers for as long as they hold, in front of a resolver whose own cache costs a journey to another thread.
///
/// A mail server asks the same few questions for message after message: a sender's SPF record, its key, its DMARC
/// policy. Equal questions that are under way at the same time are asked once.
public final class CachingResolver: Resolver {
    private struct Entry {
        let response: DNSResponse
        let expires: ContinuousClock.Instant
    }

    private struct State {
        var entries: [DNSQuestion: Entry] = [:]
        /// Questions in the order in which they came in, for making room.
        var order: [DNSQuestion] = []
        var oldest = 0
        var waiting: [DNSQuestion: [CheckedContinuation<DNSResponse, Never>]] = [:]
    }

    private let upstream: any Resolver
    private let capacity: Int
    private let longest: Duration
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())
    /// How long an absence without a time of its own is believed: enough for the burst that one message causes.
    private static let briefly: Duration = .seconds(1)

    /// - Parameters:
    ///   - capacity: answers kept at the most; the oldest go first.
    ///   - longest: bounds every answer's own time, so that a change in the DNS is seen within it.
    public init(_ upstream: any Resolver, capacity: Int = 4096, longest: Duration = .seconds(300),
                now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.upstream = upstream
        self.capacity = max(capacity, 1)
        self.longest = longest
        self.now = now
    }

    public func resolve(_ question: DNSQuestion) async -> DNSResponse {
        let time = now()
        if let known = state.withLock({ $0.entries[question] }), known.expires > time { return known.response }
        // The first to ask carries the question; whoever asks meanwhile waits for its answer.
        let isFirst = state.withLock { state in
            guard state.waiting[question] == nil else { return false }
            state.waiting[question] = []
            return true
        }
        guard isFirst else { return await join(question) }
        // A task of its own: whoever asked first may be cancelled, and those who joined must not suffer for it.
        let response = await Task { [upstream] in await upstream.resolve(question) }.value
        let others = state.withLock { state in
            Self.keep(response, for: question, in: &state, until: time + lifetime(response), capacity: capacity)
            return state.waiting.removeValue(forKey: question) ?? []
        }
        for other in others { other.resume(returning: response) }
        return response
    }

    private func join(_ question: DNSQuestion) async -> DNSResponse {
        let answer = await withCheckedContinuation { (continuation: CheckedContinuation<DNSResponse, Never>) in
            let isOver = state.withLock { state -> DNSResponse?? in
                guard state.waiting[question] == nil else {
                    state.waiting[question]?.append(continuation)
                    return nil
                }
                // It was answered between the two looks.
                return .some(state.entries[question]?.response)
            }
            if let found = isOver { continuation.resume(returning: found ?? DNSResponse(.temporaryFailure(Self.askAgain))) }
        }
        // An answer that may not be kept, come and gone: then this one asks for itself.
        if case .temporaryFailure(Self.askAgain) = answer.outcome { return await upstream.resolve(question) }
        return answer
    }

    private static let askAgain = "ask again"

    /// Failures are never kept: the next message may have better luck.
    private func lifetime(_ response: DNSResponse) -> Duration {
        switch response.outcome {
        case .temporaryFailure: return .zero
        case .records: return min(.seconds(Int64(response.timeToLive)), longest)
        case .noData, .nameError: return response.timeToLive == 0 ? Self.briefly : min(.seconds(Int64(response.timeToLive)), longest)
        }
    }

    private static func keep(_ response: DNSResponse, for question: DNSQuestion, in state: inout State, until expiry: ContinuousClock.Instant, capacity: Int) {
        if case .temporaryFailure = response.outcome {
            state.entries[question] = nil
            return
        }
        if state.entries.updateValue(Entry(response: response, expires: expiry), forKey: question) == nil { state.order.append(question) }
        while state.entries.count > capacity, state.oldest < state.order.count {
            state.entries[state.order[state.oldest]] = nil
            state.oldest += 1
        }
        if state.oldest > capacity {
            state.order.removeFirst(state.oldest)
            state.oldest = 0
        }
    }
}
