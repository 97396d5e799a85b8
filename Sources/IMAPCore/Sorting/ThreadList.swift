/// The answer to THREAD (RFC 5256 §4): trees, kept flat so that a chain of any length costs no stack.
public struct ThreadList: Sendable, Hashable {
    public struct Node: Sendable, Hashable {
        /// nil: a message that is not there, only referred to.
        public var number: UInt32?
        /// Indices into ``ThreadList/nodes``.
        public var children: [Int] = []
    }

    public internal(set) var nodes: [Node] = []
    public internal(set) var roots: [Int] = []

    /// `thread-list = "(" (thread-members / thread-nested) ")"`, one after another.
    func encode(into writer: inout ResponseWriter) {
        enum Step { case open(Int), close }
        var steps = roots.reversed().map { Step.open($0) }
        while let step = steps.popLast() {
            guard case .open(let index) = step else {
                writer.raw(")")
                continue
            }
            writer.raw("(")
            steps.append(.close)
            var at = index, isFirst = true
            // One child goes on in the same list; several are lists of their own.
            while true {
                if let number = nodes[at].number {
                    writer.raw(isFirst ? "\(number)" : " \(number)")
                    isFirst = false
                }
                guard nodes[at].children.count == 1 else { break }
                at = nodes[at].children[0]
            }
            if nodes[at].children.count > 1, !isFirst { writer.raw(" ") }
            steps += nodes[at].children.reversed().map { .open($0) }
        }
    }
}
