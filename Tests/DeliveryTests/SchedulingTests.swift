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
}
