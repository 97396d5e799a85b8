import Foundation

/// The time as the relay sees it; injected so that tests do not wait.
public protocol RelayClock: Sendable {
    func now() -> Date
    /// Returns at that time, at once when it has passed, or throws `CancellationError`.
    func sleep(until time: Date) async throws
}

/// The system's clock.
public struct SystemRelayClock: RelayClock {
    public init() {}
    public func now() -> Date { Date() }
    public func sleep(until time: Date) async throws {
        let wait = time.timeIntervalSinceNow
        if wait > 0 { try await Task.sleep(for: .seconds(min(wait, 86_400))) } else { try Task.checkCancellation() }
    }
}
