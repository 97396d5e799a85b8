/// Where in a mail transaction a rule stands. Spelt in rule files as the case is.
public enum PolicyStage: String, Sendable, Hashable, CaseIterable, Comparable {
    /// The client has connected; it has said nothing yet.
    case connect
    /// HELO or EHLO was given.
    case helo
    /// MAIL FROM was given.
    case mail
    /// RCPT TO was given: asked once for every recipient, and a refusal concerns that recipient only.
    case rcpt
    /// DATA was asked for; the recipients are complete.
    case data
    /// End of message: header, body and authentication results are known, and changes may be made.
    case message

    public static func < (a: PolicyStage, b: PolicyStage) -> Bool { a.order < b.order }

    private var order: Int {
        switch self {
        case .connect: 0
        case .helo: 1
        case .mail: 2
        case .rcpt: 3
        case .data: 4
        case .message: 5
        }
    }
}
