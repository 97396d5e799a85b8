import Synchronization

/// One thing to look at. Its work must end by itself, or when it is cancelled; the run waits no longer than its deadline.
public struct CheckTask: Sendable {
    /// For people, while they wait: `MX of example.org`.
    public let title: String
    let importance: CheckFinding.Importance
    let work: @Sendable () async -> [CheckFinding]

    public init(_ title: String, _ importance: CheckFinding.Importance = .trust, _ work: @escaping @Sendable () async -> [CheckFinding]) {
        self.title = title
        self.importance = importance
        self.work = work
    }
}

/// Runs checks beside each other and puts their findings into the checks' order.
public struct CheckRun: Sendable {
    private let checks: [CheckTask]
    private let limit: Duration
    private let progress: @Sendable (Progress) -> Void

    /// How far a run is.
    public struct Progress: Sendable {
        public let done: Int
        public let all: Int
        /// Titles of what is waited for, in order.
        public let waiting: [String]
    }

    /// - Parameters:
    ///   - limit: for all of them together; what has not ended by then is unknown.
    ///   - progress: called as each ends, on any thread.
    public init(_ checks: [CheckTask], limit: Duration, progress: @escaping @Sendable (Progress) -> Void = { _ in }) {
        self.checks = checks
        self.limit = limit
        self.progress = progress
    }

    public func run() async -> CheckReport {
        let board = Board(checks)
        progress(board.progress)
        let end = ContinuousClock.now + limit
        let tasks = checks.enumerated().map { place, check in
            Task {
                let findings = await check.work()
                if let now = board.put(findings, at: place) { progress(now) }
            }
        }
        // Work that ignores cancellation is left behind: the command ends soon after.
        while !board.isDone, ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(20)) }
        for task in tasks { task.cancel() }
        return CheckReport(board.close(limit))
    }
}

/// Findings as they come in.
private final class Board: Sendable {
    private let checks: [CheckTask]
    private let state: Mutex<(found: [[CheckFinding]?], isClosed: Bool)>

    init(_ checks: [CheckTask]) {
        self.checks = checks
        state = Mutex((Array(repeating: nil, count: checks.count), false))
    }

    var isDone: Bool { state.withLock { $0.found.allSatisfy { $0 != nil } } }
    var progress: CheckRun.Progress { progress(of: state.withLock { $0.found }) }

    /// - Returns: nil when it is too late.
    func put(_ findings: [CheckFinding], at place: Int) -> CheckRun.Progress? {
        let found: [[CheckFinding]?]? = state.withLock { state in
            guard !state.isClosed else { return nil }
            state.found[place] = findings
            return state.found
        }
        return found.map { progress(of: $0) }
    }

    func close(_ limit: Duration) -> [CheckFinding] {
        let found = state.withLock { state in
            state.isClosed = true
            return state.found
        }
        return zip(checks, found).flatMap { check, findings in
            findings ?? [CheckFinding("deadline", check.title, .unknown, check.importance, "no answer within \(limit)")]
        }
    }

    private func progress(of found: [[CheckFinding]?]) -> CheckRun.Progress {
        let waiting = zip(checks, found).filter { $0.1 == nil }.map(\.0.title)
        return CheckRun.Progress(done: checks.count - waiting.count, all: checks.count, waiting: waiting)
    }
}
