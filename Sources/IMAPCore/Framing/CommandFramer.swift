/// Cuts a client's octets into commands, literals included (RFC 3501 §4.3, RFC 7888).
///
/// Feed octets as they come, then ask ``next()`` until it gives nil. Pulling one event at a time lets the server
/// change ``mode`` between two pipelined commands. A message literal of APPEND is handed on in chunks and never collected.
public struct CommandFramer: Sendable {
    public var mode = Mode.commands
    /// Whether mailbox names are UTF-8 now; see ``CommandParser/parse(_:utf8Names:)``.
    public var utf8Names = false
    public let limits: Limits

    enum State: Sendable, Equatable {
        case collecting
        /// Octets of a small literal still to come.
        case literal(Int)
        case appendAwaitsVerdict(AppendLiteral)
        case append(left: Int)
        /// Reads a refused command to its end: literal octets left, and the answer to give then (nil: was given).
        case discarding(Int, CommandError?)
        case dead
    }

    var state = State.collecting
    var buffer: [UInt8] = []
    /// Where unread octets begin in the buffer.
    var head = 0
    /// The command so far: from `head`, so many octets are taken.
    private var taken = 0
    private var scanned = 0
    /// Set within an APPEND or REPLACE.
    var grammar: AppendGrammar?
    /// What a piece of it said and was not given out yet.
    var steps: [AppendStep] = []
    /// Octets of the message so far.
    var messageSize = 0

    public init(limits: Limits = Limits()) { self.limits = limits }

    /// Takes octets from the client. They are held until ``next()`` asks; feed one read at a time and drain.
    public mutating func feed(_ bytes: some Collection<UInt8>) {
        if head > 0, head == buffer.count || head > 1 << 16 {
            buffer.removeFirst(head)
            head = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// Octets held that no event has covered.
    public var buffered: Int { buffer.count - head }

    /// Forgets what is held: after STARTTLS nothing that came in plain text may count (RFC 3501 §6.2.1).
    public mutating func discardBuffered() {
        buffer = []
        head = 0
        taken = 0
        scanned = 0
        leaveAppend()
        state = .collecting
    }

    /// The next event, or nil until more octets come.
    public mutating func next() -> Event? {
        while true {
            switch step() {
            case .event(let event): return event
            case .again: continue
            case .wait: return nil
            }
        }
    }

    // MARK: Steps

    enum Step {
        case event(Event)
        case again
        case wait
    }

    private mutating func step() -> Step {
        if !steps.isEmpty { return .event(.append(nextStep())) }
        return switch state {
        case .collecting: collect()
        case .literal(let left): takeLiteral(left)
        case .append(let left): takeAppend(left)
        case .discarding(let left, let answer): discard(left, answer)
        case .appendAwaitsVerdict, .dead: .wait
        }
    }

    /// Looks for the line end from where the last look stopped; the position behind it, from `head`.
    private mutating func lineEnd() -> Int? {
        let from = head + max(taken, scanned)
        if from < buffer.count, let found = buffer[from...].firstIndex(of: 10) {
            scanned = 0
            return found + 1 - head
        }
        scanned = buffer.count - head
        return nil
    }

    private mutating func collect() -> Step {
        guard let end = lineEnd() else {
            guard buffered > limits.command else { return .wait }
            return overlong(consume: buffered, rest: true)
        }
        guard end <= limits.command else { return overlong(consume: end, rest: false) }
        if mode == .line {
            var line = consume(end).dropLast()
            if line.last == 13 { line = line.dropLast() }
            mode = .commands
            return .event(.line(Array(line)))
        }
        let literal = LiteralMarker(endOf: buffer[(head + taken)..<(head + end)])
        if grammar != nil || AppendGrammar.begins(buffer[head..<(head + end)]) { return continueAppend(literal, lineEnd: end) }
        guard let literal else {
            let command = consume(end)
            // An empty line between commands is nobody's command; Postel's rule, as other servers have it.
            return command.allSatisfy { $0 == 13 || $0 == 10 } ? .again : .event(.command(Array(command)))
        }
        return begin(literal, lineEnd: end)
    }

    mutating func begin(_ literal: LiteralMarker, lineEnd end: Int) -> Step {
        guard literal.size <= limits.literal, end + literal.size <= limits.command else {
            let tag = grammar?.knownTag ?? CommandParser.tag(of: Array(buffer[head..<(head + min(end, 300))]))
            leaveAppend()
            return refuse(CommandError(tag: tag, text: "the literal is too long", code: .tooBig), literal, end)
        }
        taken = end
        state = .literal(literal.size)
        return literal.isSynchronising ? .event(.needContinuation(size: literal.size)) : .again
    }

    /// Ends a command at a literal: the client that waits gets the answer instead of a continuation request.
    mutating func refuse(_ error: CommandError, _ literal: LiteralMarker, _ end: Int) -> Step {
        _ = consume(end)
        if literal.isSynchronising {
            state = .collecting
            return .event(.failed(error))
        }
        // RFC 7888 §4: read and discard, or close. A gigabyte is not worth reading.
        guard literal.size <= max(limits.append, limits.literal) * 2 else {
            state = .dead
            return .event(.fatal(error))
        }
        state = .discarding(literal.size, error)
        return .again
    }

    private mutating func overlong(consume count: Int, rest: Bool) -> Step {
        let known = grammar?.knownTag
        leaveAppend()
        let error = CommandError(tag: known ?? CommandParser.tag(of: Array(buffer[head..<(head + min(count, 300))])), text: "the command is too long", code: nil)
        if rest || mode == .line {
            // Where a line has no end in sight, nobody knows what the octets behind it are.
            state = .dead
            return .event(.fatal(error))
        }
        _ = consume(count)
        return .event(.failed(error))
    }

    private mutating func takeLiteral(_ left: Int) -> Step {
        guard buffered - taken >= left else { return .wait }
        taken += left
        state = .collecting
        return .again
    }

    private mutating func discard(_ left: Int, _ answer: CommandError?) -> Step {
        if left > 0 {
            guard buffered > 0 else { return .wait }
            let count = consume(min(left, buffered)).count
            state = .discarding(left - count, answer)
            return .again
        }
        guard let end = lineEnd() else {
            guard buffered > limits.command else { return .wait }
            state = .dead
            return .event(.fatal(answer ?? CommandError(tag: nil, text: "the command is too long", code: nil)))
        }
        let literal = LiteralMarker(endOf: buffer[head..<(head + end)])
        _ = consume(end)
        if let literal, !literal.isSynchronising, literal.size <= limits.append * 2 {
            state = .discarding(literal.size, answer)
            return .again
        }
        state = .collecting
        return answer.map { .event(.failed($0)) } ?? .again
    }

    mutating func consume(_ count: Int) -> ArraySlice<UInt8> {
        let slice = buffer[head..<(head + count)]
        head += count
        taken = 0
        scanned = 0
        return slice
    }
}
