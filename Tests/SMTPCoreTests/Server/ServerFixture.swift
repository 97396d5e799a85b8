import InternetMessage
import SASL
@testable import SMTPCore

/// Drives a state machine with text and plays the shell: answers its questions and keeps what it says.
struct ServerFixture {
    var machine: ServerStateMachine
    /// Wire text of the replies since the last look.
    var said = ""
    var questions: [ServerQuestion] = []
    var content: [UInt8] = []
    var aborts = 0
    var isClosed = false
    var wantsTLS = false
    /// How to answer; anything but a `.no` here is `.yes`, and messages are `250 2.0.0 Ok: queued as X`.
    var refuse: (ServerQuestion) -> SMTPReply? = { _ in nil }
    /// The answer to `.scramKeys`.
    var keys: SCRAMKeys?
    /// A shell gone wrong.
    var answersKeysAlways = false
    /// LMTP's answer to a message.
    var answers: [SMTPReply]?
    private var buffer: [UInt8] = []

    init(isTLS: Bool = false, start: Bool = true, _ change: (inout ServerSettings) -> Void = { _ in }) {
        var settings = ServerSettings(hostname: "mx.home.example")
        change(&settings)
        machine = ServerStateMachine(settings: settings, isTLS: isTLS)
        if start { perform(machine.start(), []) }
        if start { _ = take() }
    }

    /// Sends text and returns what was said to it. - Parameter step: octets to deliver at once.
    @discardableResult
    mutating func send(_ text: String, step: Int = .max) -> String { send(Array(text.utf8), step: step) }

    @discardableResult
    mutating func send(_ bytes: [UInt8], step: Int = .max) -> String {
        var rest = bytes[...]
        while !rest.isEmpty {
            buffer += rest.prefix(step)
            rest = rest.dropFirst(step)
            drain()
        }
        return take()
    }

    mutating func take() -> String {
        defer { said = "" }
        return said
    }

    mutating func perform(_ actions: [ServerAction], _ bytes: [UInt8]) {
        for action in actions {
            switch action {
            case .send(let reply): said += reply.wire
            case .content(let range): content += bytes[range]
            case .abort:
                aborts += 1
                content = []
            case .close: isClosed = true
            case .startTLS:
                wantsTLS = true
                buffer = []
            case .ask(let question):
                questions.append(question)
                perform(machine.answer(answer(question)), [])
            }
        }
    }

    private func answer(_ question: ServerQuestion) -> ServerAnswer {
        if let keys {
            if case .scramKeys = question { return .keys(keys) }
            if answersKeysAlways, case .authenticate = question { return .keys(keys) }
        }
        if question == .message, let answers { return .replies(answers) }
        if let reply = refuse(question) { return question == .message ? .reply(reply) : .no(reply) }
        return question == .message ? .reply(SMTPReply(250, "2.0.0", "Ok: queued as X")) : .yes
    }

    private mutating func drain() {
        while true {
            let bytes = buffer
            let (consumed, actions) = bytes.withUnsafeBytes { machine.take($0) }
            buffer.removeFirst(consumed)
            perform(actions, bytes)
            if consumed == 0, actions.isEmpty { return }
        }
    }

    /// Up to the first recipient.
    static func ready(_ change: (inout ServerSettings) -> Void = { _ in }) -> ServerFixture {
        var fixture = ServerFixture(change)
        fixture.send("EHLO a.example\r\nMAIL FROM:<s@a.example>\r\nRCPT TO:<r@home.example>\r\n")
        return fixture
    }
}
