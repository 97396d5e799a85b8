import InternetMessage

/// Gathers messages and threads them (RFC 5256 §3).
public struct MessageThreader: Sendable {
    struct Message: Sendable {
        let number: UInt32
        let date: Int64
        let subject: String
        let isReply: Bool
        let id: String?
        /// The parent last.
        let references: [String]
    }

    private let algorithm: ThreadAlgorithm
    private var messages: [Message] = []

    public init(_ algorithm: ThreadAlgorithm) { self.algorithm = algorithm }

    /// Takes in a message. Reads its header.
    /// - Parameter number: what the answer calls it; ascending from call to call, which decides ties.
    public mutating func add(_ message: some SearchableMessage, as number: UInt32) throws {
        let subject = BaseSubject(field: try message.fields("Subject").first?.rawValue ?? [])
        var references = try message.fields("References").first.map { MessageIDs.parse($0.rawValue) } ?? []
        if references.isEmpty, let field = try message.fields("In-Reply-To").first { references = Array(MessageIDs.parse(field.rawValue).prefix(1)) }
        messages.append(Message(
            number: number, date: try SentDate.of(message), subject: String(decoding: CollationKey(subject.text).utf8, as: UTF8.self),
            isReply: subject.isReplyOrForward, id: try message.fields("Message-ID").first.flatMap { MessageIDs.parse($0.rawValue).first }, references: references))
    }

    public func threads() -> ThreadList {
        switch algorithm {
        case .orderedSubject: Self.orderedSubject(messages)
        case .references: ReferencesThreader(messages).threads()
        }
    }

    /// Messages of one base subject are one thread: the first by sent date, the others its children.
    private static func orderedSubject(_ messages: [Message]) -> ThreadList {
        let groups = Dictionary(grouping: messages, by: \.subject).values.map { $0.sorted { ($0.date, $0.number) < ($1.date, $1.number) } }
        var list = ThreadList()
        for group in groups.sorted(by: { ($0[0].date, $0[0].number) < ($1[0].date, $1[0].number) }) {
            let root = list.nodes.count
            list.nodes += group.map { ThreadList.Node(number: $0.number) }
            list.nodes[root].children = Array((root + 1)..<list.nodes.count)
            list.roots.append(root)
        }
        return list
    }
}
