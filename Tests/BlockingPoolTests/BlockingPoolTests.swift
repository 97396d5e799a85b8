import BlockingPool
import Foundation
import Testing

@Suite struct BlockingPoolTests {
    @Test func aTaskRunsOnThePoolsThreads() async {
        let pool = BlockingPool(threads: 1, name: "pool-test")
        let name = await Task(executorPreference: pool) { Self.threadName() }.value
        #expect(name == "pool-test-0")
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

    static func threadName() -> String? { Thread.current.name }
}
