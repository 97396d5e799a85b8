/// Cuts a client's octets into commands, literals included (RFC 3501 §4.3, RFC 7888).
///
/// Feed octets as they come, then ask ``next()`` until it gives nil. Pulling one event at a time lets the server
/// change ``mode`` between two pipelined commands. A message literal of APPEND is handed on in chunks and never collected.
public struct CommandFramer: Sendable {
    public var mode = Mode.commands
    public let limits: Limits

    private enum State: Sendable, Equatable {
        case collecting
        /// Octets of a small literal still to come.
        case literal(Int)
        case appendAwaitsVerdict(AppendHeader)
        case append(AppendHeader, left: Int)
        case appendLineEnd(AppendHeader)
        /// Reads a refused command to its end: literal octets left, and the answer to give then (nil: was given).
        case discarding(Int, CommandError?)
        case dead
    }

    private var state = State.collecting
    private var buffer: [UInt8] = []
    /// Where unread octets begin in the buffer.
    private var head = 0
    /// The command so far: from `head`, so many octets are taken.
    private var taken = 0
    private var scanned = 0

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

    /// Go on with the message after ``Event/appendBegins(_:)``.
    public mutating func acceptAppend() {
        guard case .appendAwaitsVerdict(let header) = state else { return }
        state = .append(header, left: header.size)
    }

    /// Drop the message after ``Event/appendBegins(_:)``; answer the command now. A literal that comes unasked is skipped.
    public mutating func refuseAppend() {
        guard case .appendAwaitsVerdict(let header) = state else { return }
        state = header.isSynchronising ? .collecting : .discarding(header.size, nil)
    }

    /// After an append was accepted and then failed (disk full): skip what is left of it; answer the command now.
    public mutating func abandonAppend() {
        switch state {
        case .append(_, let left): state = .discarding(left, nil)
        case .appendLineEnd: state = .discarding(0, nil)
        default: refuseAppend()
        }
    }

    // MARK: Steps

    private enum Step {
        case event(Event)
        case again
        case wait
    }

    private mutating func step() -> Step {
        switch state {
        case .collecting: collect()
        case .literal(let left): takeLiteral(left)
        case .append(let header, let left): takeAppend(header, left)
        case .appendLineEnd(let header): endAppend(header)
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
        guard let literal = LiteralMarker(endOf: buffer[(head + taken)..<(head + end)]) else {
            let command = consume(end)
            // An empty line between commands is nobody's command; Postel's rule, as other servers have it.
            return command.allSatisfy { $0 == 13 || $0 == 10 } ? .again : .event(.command(Array(command)))
        }
        return begin(literal, lineEnd: end)
    }

    private mutating func begin(_ literal: LiteralMarker, lineEnd end: Int) -> Step {
        if AppendProbe.isAppend(buffer[head..<(head + end)]), let append = AppendProbe.probe(Array(buffer[head..<(head + end)])) {
            switch append {
            case .success(let header): return beginAppend(header, literal, end)
            case .failure(let error): return refuse(error, literal, end)
            }
        }
        guard literal.size <= limits.literal, end + literal.size <= limits.command else {
            let tag = CommandParser.tag(of: Array(buffer[head..<(head + min(end, 300))]))
            return refuse(CommandError(tag: tag, text: "the literal is too long", code: .tooBig), literal, end)
        }
        taken = end
        state = .literal(literal.size)
        return literal.isSynchronising ? .event(.needContinuation(size: literal.size)) : .again
    }

    private mutating func beginAppend(_ header: AppendHeader, _ literal: LiteralMarker, _ end: Int) -> Step {
        guard header.size <= limits.append else {
            return refuse(CommandError(tag: header.tag, text: "the message is larger than \(limits.append) octets", code: .tooBig), literal, end)
        }
        _ = consume(end)
        state = .appendAwaitsVerdict(header)
        return .event(.appendBegins(header))
    }

    /// Ends a command at a literal: the client that waits gets the answer instead of a continuation request.
    private mutating func refuse(_ error: CommandError, _ literal: LiteralMarker, _ end: Int) -> Step {
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
        let error = CommandError(tag: CommandParser.tag(of: Array(buffer[head..<(head + min(count, 300))])), text: "the command is too long", code: nil)
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

    private mutating func takeAppend(_ header: AppendHeader, _ left: Int) -> Step {
        if left == 0 {
            state = .appendLineEnd(header)
            return .again
        }
        guard buffered > 0 else { return .wait }
        let chunk = consume(min(left, buffered))
        state = .append(header, left: left - chunk.count)
        return .event(.appendChunk(Array(chunk)))
    }

    private mutating func endAppend(_ header: AppendHeader) -> Step {
        guard let first = buffer[head...].first else { return .wait }
        if first == 13 {
            guard buffered >= 2 else { return .wait }
        }
        let length = first == 10 ? 1 : 2
        if first == 10 || (first == 13 && buffer[head + 1] == 10) {
            _ = consume(length)
            state = .collecting
            return .event(.appendEnds)
        }
        state = .discarding(0, CommandError(tag: header.tag, text: "unexpected text behind the message; its literal's size may be wrong", code: nil))
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

    private mutating func consume(_ count: Int) -> ArraySlice<UInt8> {
        let slice = buffer[head..<(head + count)]
        head += count
        taken = 0
        scanned = 0
        return slice
    }
}
