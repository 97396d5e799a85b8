import Foundation
import SMTPClient

/// Whose errand runs next. Senders take turns, and each sender's destinations; a destination takes as many at once as its
/// ``ConcurrencyWindow`` lets in, and lets those senders in first that have stood longest at its door. So a mailing of
/// 100,000 delays a person's note by one delivery, at most, wherever either goes. No step costs more when more waits.
///
/// A sender may have three quarters of all deliveries at once: however slow its destinations are, the rest stays for others.
struct Scheduler {
    struct Start: Sendable {
        let errand: Errand
        /// Set for a destination that counts as dead: what its messages are put off with, unasked, and until when.
        let suspension: Suspension?
    }

    struct Suspension: Sendable {
        let until: Date
        let finding: RecipientResult
    }

    enum Outcome: Sendable {
        /// A server of the destination spoke.
        case reached
        /// None did; what happened.
        case unreachable(RecipientResult)
        /// It says nothing of the destination.
        case neutral
    }

    struct Gate {
        var window: ConcurrencyWindow
        var running = 0
        var waiting = 0
        var suspension: Suspension?
        /// Seconds between the beginnings of two deliveries; 0 for none.
        var delay: TimeInterval = 0
        /// Before that none begins.
        var nextStart = Date.distantPast
        /// Senders that wait for room.
        var door = FIFO<String>()
    }

    private struct Sender {
        var running = 0
        /// By destination.
        var lines: [Destination: FIFO<Waiting>] = [:]
        /// Destinations that had room when they were put here.
        var ready = FIFO<Destination>()
        var isInTurn = false
    }

    private struct Waiting {
        let id: String
        let domain: String
        let isForced: Bool
    }

    private let limits: ConcurrencyWindow.Limits
    private let special: DestinationLimits
    private let total: Int
    private let share: Int
    private var senders: [String: Sender] = [:]
    private var gates: [Destination: Gate] = [:]
    private var turn = FIFO<String>()
    private var nextRevival: Date?
    /// When the first destination with a delay may be served again.
    private(set) var nextOpening: Date?
    private(set) var running = 0
    private(set) var waiting = 0

    init(limits: ConcurrencyWindow.Limits, special: DestinationLimits = DestinationLimits(), total: Int) {
        self.limits = limits
        self.special = special
        self.total = max(1, total)
        share = max(1, total - total / 4)
    }

    // Lines and doors are changed in their place: a copy of one would cost what it holds.

    mutating func add(_ errand: Errand) {
        let isNew = senders[errand.sender, default: Sender()].lines[errand.destination] == nil
        senders[errand.sender, default: Sender()].lines[errand.destination, default: FIFO()]
            .append(Waiting(id: errand.id, domain: errand.domain, isForced: errand.isForced))
        let fresh = newGate(errand.destination)
        gates[errand.destination, default: fresh].waiting += 1
        waiting += 1
        if isNew { place(errand.sender, errand.destination) }
    }

    /// The next errand that may start; it counts as running until ``finished(_:_:)``.
    mutating func start(_ now: Date) -> Start? {
        if let nextRevival, nextRevival <= now { revive(now) }
        if let nextOpening, nextOpening <= now || nextOpening > now + DestinationLimits.longestDelay { openDoors(now) }
        var passes = turn.count
        while running < total, passes > 0, let name = turn.popFirst() {
            passes -= 1
            senders[name]?.isInTurn = false
            // Over its share: it is put in turn again when one of its own has finished.
            guard let count = senders[name]?.running, count < share else { continue }
            if let start = startOne(of: name, now) { return start }
        }
        return nil
    }

    /// The first destination of the sender with room; others go to their doors.
    private mutating func startOne(of name: String, _ now: Date) -> Start? {
        while let destination = senders[name]?.ready.popFirst() {
            guard hasRoom(destination, now) else {
                gates[destination]?.door.append(name)
                continue
            }
            guard let next = senders[name]?.lines[destination]?.popFirst() else { continue }
            senders[name]?.running += 1
            gates[destination]?.running += 1
            gates[destination]?.waiting -= 1
            (running, waiting) = (running + 1, waiting - 1)
            if senders[name]?.lines[destination]?.isEmpty == true { senders[name]?.lines[destination] = nil } else { senders[name]?.ready.append(destination) }
            putInTurn(name)
            delay(destination, now)
            return Start(errand: Errand(id: next.id, sender: name, destination: destination, domain: next.domain, isForced: next.isForced),
                         suspension: gates[destination]?.suspension)
        }
        return nil
    }

    /// - Parameters:
    ///   - rest: how long nothing more is tried if the destination turns out to be dead by this, from now on.
    ///   - lastBegan: when the last of the errand's deliveries began, where it took several.
    mutating func finished(_ errand: Errand, _ outcome: Outcome, _ now: Date, rest: TimeInterval = 300, lastBegan: Date? = nil) {
        running -= 1
        senders[errand.sender]?.running -= 1
        guard gates[errand.destination] != nil else { return }
        learn(errand.destination, outcome, now, rest)
        if let lastBegan { delay(errand.destination, lastBegan, notBefore: gates[errand.destination]?.nextStart) }
        gates[errand.destination]?.running -= 1
        openDoor(errand.destination, now)
        if senders[errand.sender]?.running == 0, senders[errand.sender]?.lines.isEmpty == true { senders[errand.sender] = nil } else { putInTurn(errand.sender) }
        drop(errand.destination)
    }

    private mutating func learn(_ destination: Destination, _ outcome: Outcome, _ now: Date, _ rest: TimeInterval) {
        guard destination != .local, let gate = gates[destination] else { return }
        switch outcome {
        case .reached where gate.suspension != nil:
            // One that was under way has found somebody at home.
            gates[destination]?.suspension = nil
            gates[destination]?.window.reset()
        case .reached: gates[destination]?.window.reached(running: gate.running)
        case .unreachable(let finding) where gate.suspension == nil:
            guard gates[destination]?.window.failed() == true else { return }
            gates[destination]?.suspension = Suspension(until: now + rest, finding: finding)
            nextRevival = min(nextRevival ?? .distantFuture, now + rest)
        case .unreachable, .neutral: break
        }
    }

    /// Lets in as many as there is room for; all, to be told so, where nobody is at home.
    private mutating func openDoor(_ destination: Destination, _ now: Date) {
        guard let gate = gates[destination] else { return }
        var room = gate.suspension == nil ? gate.window.size - gate.running : gate.door.count
        if gate.suspension == nil, gate.delay > 0 { room = Self.isTime(gate, now) ? min(room, 1) : 0 }
        while room > 0, let name = gates[destination]?.door.popFirst() {
            room -= 1
            senders[name]?.ready.append(destination)
            putInTurn(name)
        }
    }

    /// The next delivery there must wait a while, if its limits say so. What is put off unasked costs the destination nothing.
    private mutating func delay(_ destination: Destination, _ began: Date, notBefore: Date? = nil) {
        guard let gate = gates[destination], gate.delay > 0, gate.suspension == nil else { return }
        gates[destination]?.nextStart = max(notBefore ?? .distantPast, began + gate.delay)
        nextOpening = min(nextOpening ?? .distantFuture, began + gate.delay)
    }

    private static func isTime(_ gate: Gate, _ now: Date) -> Bool {
        // A time further off than the delay was written by a clock that has been set back since.
        gate.nextStart <= now || gate.nextStart > now + gate.delay
    }

    private mutating func openDoors(_ now: Date) {
        nextOpening = nil
        for (destination, gate) in gates where gate.delay > 0 && gate.nextStart != .distantPast {
            guard Self.isTime(gate, now) else {
                nextOpening = min(nextOpening ?? .distantFuture, gate.nextStart)
                continue
            }
            gates[destination]?.nextStart = .distantPast
            openDoor(destination, now)
            drop(destination)
        }
    }

    /// Ends every rest: somebody wants it tried now.
    mutating func reviveAll() { revive(.distantFuture) }

    private mutating func revive(_ now: Date) {
        nextRevival = nil
        for (destination, until) in gates.compactMapValues({ $0.suspension?.until }) {
            guard until <= now else {
                nextRevival = min(nextRevival ?? until, until)
                continue
            }
            gates[destination]?.suspension = nil
            gates[destination]?.window.reset()
            drop(destination)
        }
    }

    private mutating func drop(_ destination: Destination) {
        if let gate = gates[destination], gate.running == 0, gate.waiting == 0, gate.suspension == nil, gate.nextStart == .distantPast { gates[destination] = nil }
    }

    private mutating func place(_ name: String, _ destination: Destination) {
        guard hasRoom(destination) else {
            gates[destination]?.door.append(name)
            return
        }
        senders[name]?.ready.append(destination)
        putInTurn(name)
    }

    private mutating func putInTurn(_ name: String) {
        guard let sender = senders[name], !sender.isInTurn, !sender.ready.isEmpty, sender.running < share else { return }
        senders[name]?.isInTurn = true
        turn.append(name)
    }

    private func newGate(_ destination: Destination) -> Gate {
        // The disk here is no site that could be away.
        if destination == .local { return Gate(window: ConcurrencyWindow(.init(initial: total, most: total, failedCohorts: 0))) }
        let own = special.limits(of: destination)
        return Gate(window: ConcurrencyWindow(.init(initial: limits.initial, most: own?.concurrency ?? limits.most, failedCohorts: limits.failedCohorts)),
                    delay: own?.rateDelay ?? 0)
    }

    /// - Parameter now: nil where only the number counts, since who starts is asked again.
    private func hasRoom(_ destination: Destination, _ now: Date? = nil) -> Bool {
        guard let gate = gates[destination], gate.suspension == nil else { return gates[destination] != nil }
        return gate.running < gate.window.size && (now.map { Self.isTime(gate, $0) } ?? true)
    }

    /// Where something runs, waits or rests, for people to look at.
    var states: [Destination: Gate] { gates }
}
