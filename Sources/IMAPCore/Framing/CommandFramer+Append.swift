// APPEND and REPLACE: their messages are handed on in pieces and never collected.
extension CommandFramer {
    /// Go on with the literal of ``AppendStep/literal(_:)``; send a continuation request when it is synchronising.
    public mutating func acceptAppend() {
        guard case .appendAwaitsVerdict(let literal) = state else { return }
        state = .append(left: literal.size)
    }

    /// Drop the command at ``AppendStep/literal(_:)``; answer it now. A literal that comes unasked is skipped.
    public mutating func refuseAppend() {
        guard case .appendAwaitsVerdict(let literal) = state else { return }
        leaveAppend()
        state = literal.isSynchronising ? .collecting : .discarding(literal.size, nil)
    }

    /// After an append was accepted and then failed (disk full): skip what is left of it; answer the command now.
    public mutating func abandonAppend() {
        if case .appendAwaitsVerdict = state { return refuseAppend() }
        guard grammar != nil else { return }
        let hasEnded = steps.contains(.ends)
        leaveAppend()
        if case .append(let left) = state { state = .discarding(left, nil) } else { state = hasEnded ? .collecting : .discarding(0, nil) }
    }

    mutating func leaveAppend() {
        grammar = nil
        steps = []
        messageSize = 0
    }

    /// One piece of an APPEND: up to a literal, or to its end.
    mutating func continueAppend(_ literal: LiteralMarker?, lineEnd end: Int) -> Step {
        var grammar = self.grammar ?? AppendGrammar()
        do throws(ScanError) {
            guard let read = try grammar.read(Array(buffer[head..<(head + end)]), utf8Names: utf8Names) else {
                guard let literal else { throw ScanError("a literal is cut short") }
                return begin(literal, lineEnd: end)
            }
            if case .literal(let announced)? = read.last {
                if read.contains(where: { if case .message = $0 { true } else { false } }) { messageSize = 0 }
                messageSize += announced.size
                guard messageSize <= limits.append else {
                    throw ScanError("the message is larger than \(limits.append) octets", code: .tooBig)
                }
                state = .appendAwaitsVerdict(announced)
            }
            self.grammar = grammar
            steps = read
            _ = consume(end)
            return .again
        } catch {
            let tag = grammar.knownTag ?? self.grammar?.knownTag ?? CommandParser.tag(of: Array(buffer[head..<(head + min(end, 300))]))
            let failure = CommandError(tag: tag, text: error.text, code: error.code)
            leaveAppend()
            if let literal { return refuse(failure, literal, end) }
            _ = consume(end)
            return .event(.failed(failure))
        }
    }

    mutating func nextStep() -> AppendStep {
        let step = steps.removeFirst()
        if step == .ends { leaveAppend() }
        return step
    }

    mutating func takeAppend(_ left: Int) -> Step {
        if left == 0 {
            state = .collecting
            return .again
        }
        guard buffered > 0 else { return .wait }
        let chunk = consume(min(left, buffered))
        state = .append(left: left - chunk.count)
        return .event(.append(.chunk(Array(chunk))))
    }
}
