import Synchronization

/// Waits less long than the resolver behind it would, for questions whose answer is not worth that wait.
///
/// A question that is given up goes on behind: a late answer is in the cache for the next who asks.
public struct DeadlineResolver: Resolver {
    private let inner: any Resolver
    private let limit: Duration
    private let deadline: Deadline

    public init(_ inner: any Resolver, limit: Duration) {
        self.inner = inner
        self.limit = limit
        deadline = Deadline(limit)
    }

    public func resolve(_ question: DNSQuestion) async -> DNSResponse {
        let (inner, answer) = (inner, Answer())
        await deadline.run(onTimeout: {}) {
            let response = await inner.resolve(question)
            answer.value.withLock { $0 = response }
        }
        return answer.value.withLock { $0 } ?? DNSResponse(.temporaryFailure("no answer within \(limit)"))
    }

    private final class Answer: Sendable {
        let value = Mutex<DNSResponse?>(nil)
    }
}
