import InternetMessage
import NetworkAddress

/// What may be compared with what.
extension RuleChecker {
    mutating func check(_ syntax: ComparisonSyntax) throws -> Condition {
        let (subject, type) = try resolve(syntax.name)
        guard let (comparison, range, operand) = syntax.comparison else {
            guard type == .flag else {
                throw Mistake(syntax.name.range, "\(subject.name) is \(type), not a condition by itself", fix: "write \(subject.name) != missing, or compare it")
            }
            return .isTrue(subject)
        }
        let left = Left(subject: subject, type: type)
        switch comparison {
        case .equal: return try equality(left, range, operand)
        case .notEqual: return .not(try equality(left, range, operand))
        case .less, .lessOrEqual, .greater, .greaterOrEqual: return try order(left, comparison, range, operand)
        case .isIn: return try membership(left, range, operand)
        case .notIn: return .not(try membership(left, range, operand))
        case .contains: return try containment(left, range, operand)
        case .matches: return try matching(left, range, operand)
        }
    }

    struct Left {
        let subject: Subject
        let type: PolicyType
        var name: String { subject.name }
    }

    // MARK: == and !=

    private func equality(_ left: Left, _ range: Range<Int>, _ operand: OperandSyntax) throws -> Condition {
        if case .literal(let literal) = operand, literal.kind == .word("missing") { return .isMissing(left.subject) }
        guard !left.type.isList else {
            throw Mistake(range, "\(left.name) is a list and equals no single value", fix: "write \(left.name) contains …")
        }
        switch operand {
        case .list, .table: throw Mistake(operand.range, "one value cannot equal a list", fix: "write \(left.name) in …")
        case .header(let name): return .same(left.subject, try other(name, left))
        case .literal(let literal):
            if let name = factName(literal, left.type) { return .same(left.subject, try other(name, left)) }
            return .equals(left.subject, try value(literal, as: left.type, of: left.name).folded)
        }
    }

    /// A word that names a fact, unless the left side's own words have it.
    private func factName(_ literal: LiteralSyntax, _ type: PolicyType) -> NameSyntax? {
        guard case .word(let word) = literal.kind, PolicyFact(rawValue: word) != nil else { return nil }
        if case .word(let words, _) = type, words.contains(word) { return nil }
        return NameSyntax(kind: .fact(word), range: literal.range)
    }

    /// The name on the right, which must be of the left's type.
    private func other(_ name: NameSyntax, _ left: Left, isElement: Bool = false) throws -> Subject {
        let (subject, type) = try resolve(name)
        guard type == left.type else {
            throw Mistake(name.range, "\(isElement ? "each of " : "")\(left.name) is \(left.type), but \(subject.name) is \(type)", fix: nil)
        }
        return subject
    }

    // MARK: < and >

    private func order(_ left: Left, _ comparison: Comparison, _ range: Range<Int>, _ operand: OperandSyntax) throws -> Condition {
        guard left.type.isOrdered else {
            throw Mistake(range, "\(left.name) is \(left.type): it has no order", fix: "only numbers, sizes, lengths of time and tls.version are less or greater")
        }
        guard case .literal(let literal) = operand else { throw Mistake(operand.range, "'\(comparison.rawValue)' needs one value", fix: nil) }
        if let name = factName(literal, left.type) { return .numbers(left.subject, comparison, try other(name, left)) }
        switch (try value(literal, as: left.type, of: left.name), left.type) {
        case (.number(let limit), _): return .number(left.subject, comparison, limit)
        case (.word(let word), .word(let words, _)):
            return .rank(left.subject, comparison, words.firstIndex(of: word) ?? 0, of: words)
        default: throw Mistake(operand.range, "'\(comparison.rawValue)' needs a number", fix: nil)
        }
    }

    // MARK: in

    private mutating func membership(_ left: Left, _ range: Range<Int>, _ operand: OperandSyntax) throws -> Condition {
        guard !left.type.isList else {
            throw Mistake(range, "\(left.name) is a list itself", fix: "write \(left.name) contains …: it holds when one element is among them")
        }
        if case .literal(let literal) = operand {
            if let name = factName(literal, left.type), let list = try? resolve(name), list.1 == .list(left.type) {
                throw Mistake(operand.range, "'in' needs a list that stands here, or a table", fix: "write \(list.0.name) contains \(left.name)")
            }
            guard case .network = literal.kind, left.type == .ip else {
                throw Mistake(operand.range, "'in' needs a list or a table", fix: "write \(left.name) in [\(source.text(operand.range))], or \(left.name) == \(source.text(operand.range))")
            }
        }
        return .member(left.subject, try members(operand, as: left.type, of: left.name))
    }

    private mutating func members(_ operand: OperandSyntax, as type: PolicyType, of name: String) throws -> Members {
        switch operand {
        case .literal(let literal): return .list(try members([literal], as: type, of: name))
        case .list(let literals, let range):
            guard !literals.isEmpty else { throw Mistake(range, "the list is empty", fix: "put a value in it, or leave the comparison out") }
            return .list(try members(literals, as: type, of: name))
        case .table(let path, let range): return .table(try table(path, range, as: type))
        case .header(let header): throw Mistake(header.range, "a header is not a list", fix: nil)
        }
    }

    private func members(_ literals: [LiteralSyntax], as type: PolicyType, of name: String) throws -> MemberSet {
        var set = MemberSet()
        for literal in literals {
            do {
                switch (literal.kind, type) {
                case (.network(let network), .ip): set.insert(network)
                case (.string(let text), _): try set.insert(text, as: type)
                case (.number(let number), .number): try set.insert(String(number), as: type)
                default: try set.insert(value(literal, as: type, of: name).description, as: type)
                }
            } catch let mistake as MemberSet.Mistake {
                throw Mistake(literal.range, mistake.message, fix: mistake.fix)
            }
        }
        return set
    }

    private mutating func table(_ path: String, _ range: Range<Int>, as type: PolicyType) throws -> PolicyTable {
        let full = path.hasPrefix("/") ? path : Self.folder(of: source.file) + path
        do {
            let (table, mistakes) = try tables.table(full, as: type)
            for mistake in mistakes { bag.add(mistake) }
            return table
        } catch {
            throw Mistake(range, "the table \(full) cannot be used: \(error)", fix: "a table's file name counts from this rule file's folder")
        }
    }

    static func folder(of file: String) -> String {
        file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    }

    // MARK: contains

    private mutating func containment(_ left: Left, _ range: Range<Int>, _ operand: OperandSyntax) throws -> Condition {
        if left.type.isList, case .literal(let literal) = operand, let name = factName(literal, left.type.element) {
            return .same(left.subject, try other(name, Left(subject: left.subject, type: left.type.element), isElement: true))
        }
        if left.type.isList { return .member(left.subject, try members(operand, as: left.type.element, of: left.name)) }
        guard left.type == .text else {
            throw Mistake(range, "\(left.name) is \(left.type): 'contains' is for texts and lists",
                          fix: left.type == .ip ? "write \(left.name) in …" : "write \(left.name) matches \"*…*\"")
        }
        return .containsText(left.subject, try strings(operand, "'contains'").map { literal, text in
            guard !text.isEmpty else { throw Mistake(literal.range, "every text contains the empty one", fix: nil) }
            return Array(text.lowercased().utf8)
        })
    }

    private func strings(_ operand: OperandSyntax, _ what: String) throws -> [(LiteralSyntax, String)] {
        try literals(operand, what).map { literal in
            guard case .string(let text) = literal.kind else { throw Mistake(literal.range, "\(what) needs a string", fix: "put it in quotes") }
            return (literal, text)
        }
    }

    private func literals(_ operand: OperandSyntax, _ what: String) throws -> [LiteralSyntax] {
        switch operand {
        case .literal(let literal): return [literal]
        case .list(let literals, _): return literals
        case .table(_, let range): throw Mistake(range, "\(what) takes no table", fix: "write 'in table …'; a table may have globs")
        case .header(let name): throw Mistake(name.range, "\(what) takes no header on its right", fix: nil)
        }
    }

    // MARK: matches

    private func matching(_ left: Left, _ range: Range<Int>, _ operand: OperandSyntax) throws -> Condition {
        guard [.text, .address, .domain].contains(left.type.element) else {
            throw Mistake(range, "\(left.name) is \(left.type): 'matches' is for texts, addresses and domains",
                          fix: left.type == .ip ? "write \(left.name) in 192.0.2.0/24" : "write \(left.name) == …")
        }
        return .matches(left.subject, try literals(operand, "'matches'").map(pattern))
    }

    private func pattern(_ literal: LiteralSyntax) throws -> PatternProgram {
        do {
            switch literal.kind {
            case .string(let glob): return try Glob.program(glob)
            case .pattern(let text, let ignoreCase): return try RegexParser.program(text, ignoreCase: ignoreCase)
            default: throw Mistake(literal.range, "'matches' needs a glob or a pattern", fix: "write \"*@example.org\" or /^order-[0-9]+/")
            }
        } catch let mistake as PatternMistake {
            throw Mistake(literal.range, mistake.message, fix: mistake.fix)
        }
    }
}
