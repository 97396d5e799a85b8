/// A message as programs on this machine write it, turned into one as SMTP carries it: lines end in CRLF, a leading
/// `From ` line of a mailbox file is gone, and a stray CR is a blank.
public struct LocalContent: Sendable {
    /// The message so far.
    public private(set) var bytes: [UInt8] = []
    /// Nothing that follows belongs to the message.
    public private(set) var isOver = false
    /// More than the limit came.
    public private(set) var isTooLarge = false
    private var line: [UInt8] = []
    private var hasBegun = false
    private let ignoresDots: Bool
    private let limit: Int

    /// - Parameter limit: octets of the message.
    public init(ignoresDots: Bool, limit: Int) {
        self.ignoresDots = ignoresDots
        self.limit = limit
    }

    public mutating func take(_ more: some Collection<UInt8>) {
        var rest = more[...]
        while !isOver, !rest.isEmpty {
            guard let end = rest.firstIndex(of: 10) else {
                line += rest
                if bytes.count + line.count > limit { refuse() }
                return
            }
            line += rest[..<end]
            endLine()
            rest = rest[rest.index(after: end)...]
        }
    }

    /// Nothing more comes.
    public mutating func finish() { if !isOver, !line.isEmpty { endLine() } }

    private mutating func endLine() {
        defer { line.removeAll(keepingCapacity: true) }
        if line.last == 13 { line.removeLast() }
        if !ignoresDots, line == [46] {
            isOver = true
            return
        }
        // As mailbox files have it; `>From ` too.
        if !hasBegun, line.drop(while: { $0 == 62 }).starts(with: Array("From ".utf8)) { return }
        hasBegun = true
        for index in line.indices where line[index] == 13 { line[index] = 32 }
        bytes += line
        bytes += [13, 10]
        if bytes.count > limit { refuse() }
    }

    private mutating func refuse() {
        (isTooLarge, isOver) = (true, true)
        (bytes, line) = ([], [])
    }
}
