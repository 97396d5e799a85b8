/// What is wrong with a pattern, and at which scalar of it.
struct PatternMistake: Error {
    let message: String
    let fix: String?
}

/// The tree of a regular expression or a glob, before it becomes instructions.
indirect enum PatternNode {
    case empty
    case one(PatternProgram.Instruction)
    case sequence([PatternNode])
    case choice([PatternNode])
    /// nil as the upper bound: no bound.
    case repetition(PatternNode, Int, Int?)
}

struct PatternCompiler {
    private var out: [PatternProgram.Instruction] = []
    /// Nodes visited: repetitions of nothing, nested, cost time without adding an instruction.
    private var visits = 0

    /// - Throws: ``PatternMistake`` when the instructions would be too many.
    static func program(_ node: PatternNode, ignoreCase: Bool, isAnchored: Bool) throws -> PatternProgram {
        var compiler = PatternCompiler()
        try compiler.emit(node)
        compiler.out.append(.match)
        return PatternProgram(instructions: compiler.out, ignoreCase: ignoreCase, isAnchored: isAnchored)
    }

    private mutating func emit(_ node: PatternNode) throws {
        visits += 1
        guard out.count < PatternProgram.sizeLimit, visits < 10 * PatternProgram.sizeLimit else {
            throw PatternMistake(message: "the pattern is too large", fix: "use smaller repetition counts")
        }
        switch node {
        case .empty: break
        case .one(let instruction): out.append(instruction)
        case .sequence(let nodes): for node in nodes { try emit(node) }
        case .choice(let nodes): try emit(choice: nodes[...])
        case .repetition(let node, let low, let high): try emit(node, low, high)
        }
    }

    private mutating func emit(choice nodes: ArraySlice<PatternNode>) throws {
        var exits: [Int] = []
        for (place, node) in nodes.enumerated() {
            let isLast = place == nodes.count - 1
            let split = out.count
            if !isLast { out.append(.jump(0)) }
            try emit(node)
            guard !isLast else { break }
            exits.append(out.count)
            out.append(.jump(0))
            out[split] = .split(split + 1, out.count)
        }
        for exit in exits { out[exit] = .jump(out.count) }
    }

    private mutating func emit(_ node: PatternNode, _ low: Int, _ high: Int?) throws {
        for _ in 0..<low { try emit(node) }
        let start = out.count
        guard let high else {
            out.append(.jump(0))
            try emit(node)
            out.append(.jump(start))
            out[start] = .split(start + 1, out.count)
            return
        }
        var splits: [Int] = []
        for _ in low..<high {
            splits.append(out.count)
            out.append(.jump(0))
            try emit(node)
        }
        for split in splits { out[split] = .split(split + 1, out.count) }
    }
}
