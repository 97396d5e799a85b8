import NetworkAddress
import Testing
@testable import Accounts

@Suite struct FailureThrottleTests {
    let client = IPAddress("192.0.2.1")
    let now = ContinuousClock.now

    private func throttle(_ first: Int = 1, longest: Int = 10, wait: Int = 60, memory: Int = 900, capacity: Int = 20_000) -> FailureThrottle {
        FailureThrottle(settings: .init(firstPause: .seconds(first), longestPause: .seconds(longest), longestWait: .seconds(wait), memory: .seconds(memory), capacity: capacity))
    }

    /// A failure whose password no other has.
    private func fail(_ throttle: FailureThrottle, _ client: IPAddress?, _ user: String) { throttle.noteFailure(of: client, user, guess: nil, now: now) }
    private func wait(_ throttle: FailureThrottle, _ client: IPAddress?, _ user: String) -> Duration? { throttle.turn(of: client, user, now: now).map { $0 - now } }

    /// Postfix waits ten seconds for us: who comes one at a time is always answered.
    @Test func whoFailedOftenStillHasATurnInTime() throws {
        let throttle = FailureThrottle()
        var now = now
        for number in 0..<50 {
            let turn = try #require(throttle.turn(of: client, "alice", now: now))
            #expect(turn - now <= .seconds(7))
            now = turn
            throttle.noteFailure(of: client, "alice", guess: "\(number)", now: now)
        }
    }

    @Test func pausesDoubleUpToTheLongest() throws {
        let throttle = throttle(longest: 4)
        var now = now
        #expect(throttle.turn(of: client, "alice", now: now) == now)
        for pause in [1, 2, 4, 4] {
            throttle.noteFailure(of: client, "alice", guess: nil, now: now)
            let turn = try #require(throttle.turn(of: client, "alice", now: now))
            #expect(turn - now == .seconds(pause))
            // The turn just taken puts the next one off as well.
            now = turn + .seconds(10)
        }
    }

    @Test func attemptsAtOnceQueueUpUntilTheyAreSentAway() {
        let throttle = throttle(wait: 3)
        fail(throttle, client, "alice")
        #expect((0..<5).map { _ in wait(throttle, client, "alice") } == [.seconds(1), .seconds(2), .seconds(3), nil, nil])
    }

    @Test func anAddressIsSlowWhateverAccountItTries() {
        let throttle = throttle()
        for name in ["a", "b", "c"] { fail(throttle, client, name) }
        #expect(wait(throttle, client, "alice") == .seconds(4))
        #expect(wait(throttle, IPAddress("192.0.2.2"), "alice") == .zero)
    }

    @Test func anAccountIsSlowWhereverTheAttemptsComeFrom() {
        let throttle = throttle()
        for last in 1...3 { fail(throttle, IPAddress("198.51.100.\(last)"), "Alice") }
        #expect(wait(throttle, client, "alice") == .seconds(4))
        #expect(wait(throttle, client, "bob") == .zero)
    }

    @Test func whoHasLoggedInFromThereDoesNotWaitForOthersGuesses() {
        let throttle = throttle()
        throttle.noteSuccess(of: client, "alice", now: now)
        for last in 1...9 { fail(throttle, IPAddress("198.51.100.\(last)"), "alice") }
        // Another user of the same webmail server is being guessed.
        for _ in 1...9 { fail(throttle, client, "bob") }
        #expect(wait(throttle, client, "ALICE") == .zero)
        #expect(wait(throttle, client, "bob") == .seconds(10))
        // Its own failures count, and no one else's.
        fail(throttle, client, "alice")
        #expect(wait(throttle, client, "alice") == .seconds(1))
        // A week later it is a stranger again.
        #expect(throttle.turn(of: client, "alice", now: now + .seconds(8 * 86_400)) == now + .seconds(8 * 86_400))
    }

    @Test func theSameWrongPasswordAgainIsNoFurtherGuess() {
        let throttle = throttle()
        for _ in 1...9 { throttle.noteFailure(of: client, "alice", guess: "old password", now: now) }
        #expect(wait(throttle, client, "alice") == .seconds(1))
        throttle.noteFailure(of: client, "alice", guess: "another", now: now)
        throttle.noteFailure(of: client, "alice", guess: "old password", now: now)
        #expect(wait(throttle, client, "alice") == .seconds(4))
    }

    @Test func timeHeals() {
        let throttle = throttle(memory: 60)
        fail(throttle, client, "alice")
        #expect(throttle.turn(of: client, "alice", now: now + .seconds(60)) == now + .seconds(60))
    }

    @Test func oneIPv6NetworkIsOneClient() {
        let throttle = throttle()
        fail(throttle, IPAddress("2001:db8::1"), "alice")
        #expect(wait(throttle, IPAddress("2001:db8::2"), "bob") == .seconds(1))
        #expect(wait(throttle, IPAddress("2001:db8:0:1::2"), "bob") == .zero)
        // An IPv4 client of a dual-stack socket is the same one.
        fail(throttle, client, "carol")
        #expect(wait(throttle, IPAddress("::ffff:192.0.2.1"), "bob") == .seconds(1))
    }

    @Test func aFullTableKeepsTheWorst() {
        let throttle = throttle(capacity: 8)
        for _ in 0..<3 { fail(throttle, client, "alice") }
        for last in 10..<100 { fail(throttle, IPAddress("198.51.100.\(last)"), "user\(last)") }
        #expect(wait(throttle, client, "bob") == .seconds(4))
        // So does one of acquaintances, with the newest.
        for last in 0..<100 { throttle.noteSuccess(of: IPAddress("203.0.113.\(last)"), "alice", now: now + .milliseconds(last)) }
        #expect(wait(throttle, IPAddress("203.0.113.99"), "alice") == .zero)
        #expect(wait(throttle, IPAddress("203.0.113.0"), "alice") != .zero)
    }
}
