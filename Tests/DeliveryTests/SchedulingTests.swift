@testable import Delivery
import Foundation
import SMTPClient
import Testing

@Suite struct SchedulingTests {
    @Test func waitsDoubleFromTheLeastToTheMost() {
        var policy = RetryPolicy()
        policy.random = { 0 }
        #expect([1, 2, 3, 4, 5, 6, 100, 0, Int.max].map { policy.backoff(afterAttempts: $0) } == [300, 600, 1200, 2400, 4000, 4000, 4000, 300, 4000])
        policy.random = { 0.999_999 }
        #expect((300..<331).contains(policy.backoff(afterAttempts: 1)))
        #expect((4000..<4401).contains(policy.backoff(afterAttempts: 50)))
    }

    @Test func theHeapGivesTheEarliestFirst() {
        var heap = RetryHeap()
        let start = Date(timeIntervalSince1970: 0)
        // A permutation of 0..<101 without repeats.
        for index in 0..<101 { heap.add("\(index * 37 % 101)", at: start + TimeInterval(index * 37 % 101)) }
        #expect(heap.nextTime == start)
        #expect(heap.takeDue(start - 1) == nil)
        var taken: [String] = []
        while let id = heap.takeDue(start + 1000) { taken.append(id) }
        #expect(taken == (0..<101).map(String.init))
        #expect(heap.isEmpty)
    }

    static func job(_ id: String, _ hop: String) throws -> DeliveryJob {
        DeliveryJob(id: id, destination: .remote(try #require(NextHop(hop))), recipients: [0])
    }

    @Test func destinationsTakeTurnsWithinTheirLimits() throws {
        var queues = DestinationQueues(perDestination: 2, total: 4)
        for index in 0..<5 { queues.add(try Self.job("a\(index)", "a.test")) }
        queues.add(try Self.job("b0", "b.test"))
        var started: [DeliveryJob] = []
        while let job = queues.start() { started.append(job) }
        #expect(started.map(\.id) == ["a0", "b0", "a1"])
        queues.finished(started[0])
        #expect(queues.start()?.id == "a2")
        #expect(queues.start() == nil)
        for index in 0..<3 { queues.add(try Self.job("c\(index)", "c\(index).test")) }
        #expect(queues.start()?.id == "c0")
        #expect(queues.start() == nil, "four run already")
        #expect(queues.waiting == 4)
    }

    @Test func everyJobRunsOnceHoweverTheyFinish() throws {
        var queues = DestinationQueues(perDestination: 3, total: 7)
        for index in 0..<1000 { queues.add(try Self.job("\(index)", "d\(index % 5).test")) }
        var seen: Set<String> = []
        var running: [DeliveryJob] = []
        while seen.count < 1000 {
            while let job = queues.start() {
                #expect(seen.insert(job.id).inserted)
                running.append(job)
            }
            #expect(running.count <= 7)
            #expect(Dictionary(grouping: running, by: \.destination).allSatisfy { $0.value.count <= 3 })
            guard !running.isEmpty else { Issue.record("stuck after \(seen.count)"); return }
            queues.finished(running.remove(at: seen.count % running.count))
        }
        for job in running { queues.finished(job) }
        #expect(queues.running == 0 && queues.waiting == 0)
    }
}
