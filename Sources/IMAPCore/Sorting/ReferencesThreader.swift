/// The algorithm REFERENCES (RFC 5256 §3), step by step. Nodes are numbers into arrays: no recursion, however long a
/// chain somebody makes up.
struct ReferencesThreader {
    private let messages: [MessageThreader.Message]
    /// Node to message; nil for one that is only referred to.
    private var message: [Int?] = []
    private var parent: [Int?] = []
    private var children: [[Int]] = []
    private var roots: [Int] = []

    init(_ messages: [MessageThreader.Message]) { self.messages = messages }

    func threads() -> ThreadList {
        var work = self
        work.link()
        work.collectRoots()
        work.prune()
        // (4) The subject table depends on the order of the roots.
        work.roots = work.sorted(work.roots)
        work.mergeSubjects()
        work.sortAll()
        var list = ThreadList()
        list.nodes = work.message.indices.map { index in
            ThreadList.Node(number: work.message[index].map { messages[$0].number }, children: work.children[index])
        }
        list.roots = work.roots
        return list
    }

    private mutating func node(_ index: Int?) -> Int {
        message.append(index)
        parent.append(nil)
        children.append([])
        return message.count - 1
    }

    // MARK: (1)

    private mutating func link() {
        var nodes: [String: Int] = [:]
        for (index, item) in messages.enumerated() {
            let own = self.own(index, item.id, &nodes)
            var previous: Int?
            for id in item.references {
                let next: Int
                if let known = nodes[id] { next = known } else {
                    next = node(nil)
                    nodes[id] = next
                }
                // (A) A link that is there already stays.
                if let previous, parent[next] == nil, !isAncestor(next, of: previous) { parent[next] = previous }
                previous = next
            }
            // (B) The message's own word about its parent counts more than others'.
            parent[own] = nil
            if let previous, !isAncestor(own, of: previous) { parent[own] = previous }
        }
    }

    /// A message whose identifier another has already, or that has none, can only be referred to by nobody.
    private mutating func own(_ index: Int, _ id: String?, _ nodes: inout [String: Int]) -> Int {
        guard let id else { return node(index) }
        guard let known = nodes[id] else {
            let made = node(index)
            nodes[id] = made
            return made
        }
        guard message[known] == nil else { return node(index) }
        message[known] = index
        return known
    }

    /// Whether `node` is `other` or above it.
    private func isAncestor(_ node: Int, of other: Int) -> Bool {
        var at: Int? = other
        while let here = at {
            if here == node { return true }
            at = parent[here]
        }
        return false
    }

    // MARK: (2), (3)

    private mutating func collectRoots() {
        for index in message.indices {
            if let above = parent[index] { children[above].append(index) } else { roots.append(index) }
        }
    }

    /// Messages that are not there go; their children move up, but not to the root unless there is only one.
    private mutating func prune() {
        for index in bottomUp() {
            children[index] = children[index].flatMap { child in message[child] == nil ? children[child] : [child] }
        }
        roots = roots.flatMap { root -> [Int] in
            guard message[root] == nil else { return [root] }
            return children[root].count > 1 ? [root] : children[root]
        }
    }

    /// Every node behind all that are below it.
    private func bottomUp() -> [Int] {
        var order: [Int] = []
        var open = roots
        while let index = open.popLast() {
            order.append(index)
            open += children[index]
        }
        return order.reversed()
    }

    // MARK: (4), (6)

    /// The sent date; of one that is not there that of its first child.
    private func key(_ index: Int) -> (Int64, UInt32) {
        let item = first(index)
        return (item?.date ?? 0, item?.number ?? 0)
    }

    private func first(_ index: Int) -> MessageThreader.Message? {
        var at = index
        while message[at] == nil {
            // Only the top level has such, and one of them may hold another.
            guard let next = children[at].min(by: { plainKey($0) < plainKey($1) }) else { return nil }
            at = next
        }
        return message[at].map { messages[$0] }
    }

    private func plainKey(_ index: Int) -> (Int64, UInt32) {
        guard let known = message[index] else { return (children[index].map { plainKey($0) }.min { $0 < $1 }) ?? (0, 0) }
        return (messages[known].date, messages[known].number)
    }

    private func sorted(_ siblings: [Int]) -> [Int] {
        siblings.count < 2 ? siblings : siblings.map { ($0, key($0)) }.sorted { $0.1 < $1.1 }.map(\.0)
    }

    private mutating func sortAll() {
        for index in bottomUp() { children[index] = sorted(children[index]) }
        roots = sorted(roots)
    }

    // MARK: (5)

    private func isDummy(_ index: Int) -> Bool { message[index] == nil }
    private func isReply(_ index: Int) -> Bool { first(index)?.isReply ?? false }

    private mutating func mergeSubjects() {
        var table = subjectTable()
        var kept: [Int] = []
        for root in roots {
            guard let subject = first(root)?.subject, !subject.isEmpty, let head = table[subject], head != root else {
                kept.append(root)
                continue
            }
            if isDummy(head), isDummy(root) {
                children[head] += children[root]
            } else if isDummy(head) || (isReply(root) && !isReply(head)) {
                children[head].append(root)
            } else {
                let both = node(nil)
                children[both] = [head, root]
                table[subject] = both
                if let position = kept.firstIndex(of: head) { kept[position] = both } else { replaced[head] = both }
            }
        }
        roots = kept.map { root in
            var at = root
            while let next = replaced[at] { at = next }
            return at
        }
    }

    /// Heads that stand later in the list than the message that was joined with them.
    private var replaced: [Int: Int] = [:]

    private func subjectTable() -> [String: Int] {
        var table: [String: Int] = [:]
        for root in roots {
            guard let subject = first(root)?.subject, !subject.isEmpty else { continue }
            guard let known = table[subject] else {
                table[subject] = root
                continue
            }
            if !isDummy(known), isDummy(root) || (isReply(known) && !isReply(root)) { table[subject] = root }
        }
        return table
    }
}
