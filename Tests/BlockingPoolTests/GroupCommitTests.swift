import BlockingPool
import Foundation
import Testing

@Suite struct GroupCommitTests {
    struct Refused: Error, Equatable {}

    @Test func aCallDuringARoundWaitsForTheNextOne() {
        let began = DispatchSemaphore(value: 0), gate = DispatchSemaphore(value: 0)
        let count = Counter()
        // The first round is held until the gate opens.
        let rounds = GroupCommit<Never> { if count.add() == 1 { began.signal(); gate.wait() } }
        Thread { rounds.run() }.start()
        Self.wait(began)
        let done = DispatchSemaphore(value: 0)
        for _ in 0..<5 { Thread { rounds.run(); done.signal() }.start() }
        gate.signal()
        for _ in 0..<5 { Self.wait(done) }
        // The first round cannot serve the five; one to five more rounds do, one as a rule.
        #expect((2...6).contains(count.value))
        #expect(rounds.roundCount == count.value)
    }

    @Test func aFailureReachesTheCallerAndNotTheNext() {
        let count = Counter()
        let rounds = GroupCommit { () throws(Refused) in if count.add() == 1 { throw Refused() } }
        #expect(throws: Refused()) { try rounds.run() }
        #expect(throws: Never.self) { try rounds.run() }
    }

    /// Whoever comes back was served by a round that began after it had asked, however many ask at once.
    @Test func everyCallIsCoveredByARoundOfItsOwnTime() {
        let asked = Counter(), covered = Highest(), uncovered = Counter()
        let rounds = GroupCommit<Never> {
            let seen = asked.value
            usleep(20)
            covered.raise(to: seen)
        }
        let done = DispatchSemaphore(value: 0)
        for _ in 0..<16 {
            Thread {
                for _ in 0..<300 {
                    let ticket = asked.add()
                    rounds.run()
                    if covered.value < ticket { _ = uncovered.add() }
                }
                done.signal()
            }.start()
        }
        for _ in 0..<16 { Self.wait(done) }
        #expect(uncovered.value == 0)
        #expect(rounds.roundCount <= 16 * 300)
    }

    private static func wait(_ semaphore: DispatchSemaphore) { #expect(semaphore.wait(timeout: .now() + 20) == .success) }
}

private final class Highest: @unchecked Sendable {
    // Sendable by proof: `highest` is touched only inside `lock.withLock`.
    private let lock = NSLock()
    private var highest = 0
    func raise(to value: Int) { lock.withLock { highest = max(highest, value) } }
    var value: Int { lock.withLock { highest } }
}

private final class Counter: @unchecked Sendable {
    // Sendable by proof: `count` is touched only inside `lock.withLock`.
    private let lock = NSLock()
    private var count = 0
    func add() -> Int { lock.withLock { count += 1; return count } }
    var value: Int { lock.withLock { count } }
}
