import BlockingPool
import Foundation
import Testing

@Suite struct BlockingPoolTests {
    @Test func aTaskRunsOnThePoolsThreads() async throws {
        let pool = BlockingPool(threads: 1)
        let ofATask = await Task(executorPreference: pool) { Self.thread() }.value
        #expect(try await pool.run { Self.thread() } == ofATask)
        #expect(await Task { Self.thread() }.value != ofATask)
    }

    @Test func whoIsOnTheWayAlreadyStaysOnItsThread() async throws {
        let pool = BlockingPool(threads: 2), other = BlockingPool(threads: 1)
        let (own, inside, elsewhere) = try await Task(executorPreference: pool) {
            // Nothing between may suspend, else the thread could change.
            let own = Self.thread()
            let inside = try await pool.run { Self.thread() }
            return (own, inside, try await other.run { Self.thread() })
        }.value
        #expect(own == inside)
        #expect(elsewhere != own)
    }

    @Test func asManyJobsBlockAtOnceAsThereAreThreads() async throws {
        let pool = BlockingPool(threads: 4)
        let gate = DispatchSemaphore(value: 0)
        async let waiters = withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 { group.addTask { try await pool.run { gate.wait() } } }
            try await group.waitForAll()
        }
        // The fourth thread is still free to open the gate.
        try await pool.run { for _ in 0..<3 { gate.signal() } }
        try await waiters
    }

    @Test func errorsComeBack() async {
        struct Broken: Error {}
        let pool = BlockingPool(threads: 1)
        await #expect(throws: Broken.self) { try await pool.run { throw Broken() } }
    }

    static func thread() -> UInt { UInt(pthread_self()) }
}
