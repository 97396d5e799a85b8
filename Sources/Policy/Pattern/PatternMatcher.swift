extension PatternProgram {
    /// Scalars of a text that are looked at; the rest is as if it were not there.
    static let inputLimit = 16_384

    /// Whether the text matches.
    func matches(_ text: String) -> Bool {
        let scalars = text.unicodeScalars.prefix(Self.inputLimit).map { ignoreCase ? foldedScalar($0) : $0.value }
        return PatternRun(program: self, scalars: scalars).run()
    }
}

/// One run of the automaton: the states reached so far, all advanced together scalar by scalar.
private struct PatternRun {
    let program: PatternProgram
    let scalars: [UInt32]
    private var states: [Int] = []
    /// Per instruction, the step (plus one) at which it was last entered, so that each is entered once a step.
    private var entered: [Int]
    private var pending: [Int] = []
    private var matched = false

    init(program: PatternProgram, scalars: [UInt32]) {
        self.program = program
        self.scalars = scalars
        entered = Array(repeating: 0, count: program.instructions.count)
    }

    consuming func run() -> Bool {
        for position in 0...scalars.count {
            if position == 0 || !program.isAnchored { enter(0, at: position) }
            if matched { return true }
            guard position < scalars.count else { break }
            step(over: scalars[position], at: position)
            if program.isAnchored, states.isEmpty, !matched { return false }
            if matched { return true }
        }
        return false
    }

    private mutating func step(over scalar: UInt32, at position: Int) {
        let before = states
        states.removeAll(keepingCapacity: true)
        for state in before where accepts(program.instructions[state], scalar) { enter(state + 1, at: position + 1) }
    }

    private func accepts(_ instruction: PatternProgram.Instruction, _ scalar: UInt32) -> Bool {
        switch instruction {
        case .scalar(let wanted): wanted == scalar
        case .any: true
        case .set(let set): set.contains(scalar)
        default: false
        }
    }

    /// Follows jumps and splits from an instruction, with a stack of its own: no recursion.
    private mutating func enter(_ start: Int, at position: Int) {
        pending.append(start)
        while let state = pending.popLast() {
            guard entered[state] != position + 1 else { continue }
            entered[state] = position + 1
            switch program.instructions[state] {
            case .jump(let target): pending.append(target)
            case .split(let first, let second): pending.append(second); pending.append(first)
            case .lineStart: if position == 0 { pending.append(state + 1) }
            case .lineEnd: if position == scalars.count { pending.append(state + 1) }
            case .wordBoundary: if isBoundary(position) { pending.append(state + 1) }
            case .notWordBoundary: if !isBoundary(position) { pending.append(state + 1) }
            case .match: if !program.isAnchored || position == scalars.count { matched = true }
            case .scalar, .any, .set: states.append(state)
            }
        }
    }

    private func isBoundary(_ position: Int) -> Bool { isWord(position - 1) != isWord(position) }

    private func isWord(_ position: Int) -> Bool {
        scalars.indices.contains(position) && ScalarSet.wordScalars.contains(scalars[position])
    }
}
