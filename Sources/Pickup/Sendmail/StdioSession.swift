import InternetMessage
import SMTPCore

/// `sendmail -bs`: a session with one local program, whose messages are dropped. Octets in, octets out; no socket.
///
/// Who the recipients are is found out by the server that takes the message up; what it refuses comes back as a bounce.
public struct StdioSession {
    private var machine: ServerStateMachine
    private var buffer: [UInt8] = []
    private var envelope: DropEnvelope?
    private var content: [UInt8] = []
    private var out: [UInt8] = []
    public private(set) var isOver = false
    private let origin: EmailAddress.Domain
    private let put: (DropEnvelope, [UInt8]) -> SMTPReply

    /// - Parameters:
    ///   - origin: what stands behind `<postmaster>`.
    ///   - put: drops a message, durably, before it says 250.
    public init(settings: ServerSettings, origin: EmailAddress.Domain, put: @escaping (DropEnvelope, [UInt8]) -> SMTPReply) {
        machine = ServerStateMachine(settings: settings)
        self.origin = origin
        self.put = put
    }

    /// - Returns: the greeting.
    public mutating func start() -> [UInt8] {
        perform(machine.start(), [])
        return takeOutput()
    }

    /// - Returns: the replies to what has come.
    public mutating func take(_ bytes: some Collection<UInt8>) -> [UInt8] {
        buffer += bytes
        while !buffer.isEmpty, !isOver {
            let window = buffer
            let (consumed, actions) = window.withUnsafeBytes { machine.take($0) }
            if consumed == 0, actions.isEmpty { break }
            buffer.removeFirst(consumed)
            perform(actions, window)
        }
        return takeOutput()
    }

    private mutating func takeOutput() -> [UInt8] {
        defer { out = [] }
        return out
    }

    private mutating func perform(_ actions: [ServerAction], _ window: [UInt8]) {
        for action in actions {
            switch action {
            case .send(let reply): out += Array(reply.wire.utf8)
            case .content(let range): content += window[range]
            case .ask(let question): perform(machine.answer(answer(question)), window)
            case .abort: (envelope, content) = (nil, [])
            case .startTLS, .close: isOver = true
            }
        }
    }

    private mutating func answer(_ question: ServerQuestion) -> ServerAnswer {
        switch question {
        case .connect, .hello, .unknownCommand: return .yes
        case .client, .authenticate, .scramKeys, .scramProved, .scramRefused: return .no(SMTPReply(502, "5.5.1", "Error: not here"))
        case .mail(let command): envelope = DropEnvelope(sender: command.sender, senderParameters: command.parameters, recipients: [])
        case .recipient(let command):
            let recipient = DropEnvelope.Recipient(address(command.path), parameters: command.parameters)
            envelope?.recipients.append(recipient)
        case .content: content = []
        case .message:
            guard let envelope else { return .reply(SMTPReply(451, "4.3.0", "Error: internal error")) }
            defer { (self.envelope, content) = (nil, []) }
            return .reply(put(envelope, content))
        }
        return .yes
    }

    private func address(_ path: RecipientCommand.Path) -> EmailAddress {
        switch path {
        case .mailbox(let address): address
        case .postmaster: EmailAddress(localPart: "postmaster", domain: origin)
        }
    }
}
