import SMTPClient

/// Where a job goes: what is limited separately.
enum Destination: Sendable, Hashable, CustomStringConvertible {
    case local
    case remote(NextHop)

    var description: String { switch self { case .local: "local"; case .remote(let hop): hop.description } }
}

/// One message's recipients for one destination.
struct DeliveryJob: Sendable, Hashable {
    let id: String
    let destination: Destination
    /// Indexes into the envelope.
    let recipients: [Int]
}

/// Jobs that wait, by destination, with a limit on how many run at once for each and for all. Destinations take turns, so
/// that one with many jobs delays no other.
struct DestinationQueues {
    private struct Line {
        var waiting: [DeliveryJob] = []
        var head = 0
        var running = 0
        var count: Int { waiting.count - head }

        mutating func pop() -> DeliveryJob {
            let job = waiting[head]
            head += 1
            if head > 256, head * 2 > waiting.count {
                waiting.removeFirst(head)
                head = 0
            }
            return job
        }
    }

    private let perDestination: Int
    private let total: Int
    private var lines: [Destination: Line] = [:]
    /// Destinations that may start a job, in their turn.
    private var turn: [Destination] = []
    private(set) var running = 0
    private(set) var waiting = 0

    init(perDestination: Int, total: Int) {
        self.perDestination = max(1, perDestination)
        self.total = max(1, total)
    }

    mutating func add(_ job: DeliveryJob) {
        lines[job.destination, default: Line()].waiting.append(job)
        waiting += 1
        if lines[job.destination]?.count == 1, mayRun(job.destination) { turn.append(job.destination) }
    }

    /// The next job that may start; it counts as running.
    mutating func start() -> DeliveryJob? {
        guard running < total, !turn.isEmpty else { return nil }
        let destination = turn.removeFirst()
        guard var line = lines[destination], line.count > 0 else { return start() }
        let job = line.pop()
        line.running += 1
        lines[destination] = line
        running += 1
        waiting -= 1
        if line.count > 0, mayRun(destination) { turn.append(destination) }
        return job
    }

    mutating func finished(_ job: DeliveryJob) {
        guard var line = lines[job.destination] else { return }
        running -= 1
        let wasFull = line.running >= limit(job.destination)
        line.running -= 1
        lines[job.destination] = line.running == 0 && line.count == 0 ? nil : line
        if wasFull, line.count > 0 { turn.append(job.destination) }
    }

    /// Takes out all jobs that wait for a destination.
    mutating func drain(_ destination: Destination) -> [DeliveryJob] {
        guard var line = lines[destination] else { return [] }
        let jobs = Array(line.waiting[line.head...])
        line.waiting = []
        line.head = 0
        lines[destination] = line.running == 0 ? nil : line
        turn.removeAll { $0 == destination }
        waiting -= jobs.count
        return jobs
    }

    private func limit(_ destination: Destination) -> Int { destination == .local ? total : perDestination }
    private func mayRun(_ destination: Destination) -> Bool { (lines[destination]?.running ?? 0) < limit(destination) }
}
