import InternetMessage
@testable import SASL
@testable import SMTPCore

/// What is true of octets that stand for lines.
enum LineEnds {
    /// Whether CR and LF occur only together.
    static func clean(_ octets: [UInt8]) -> Bool {
        for (index, octet) in octets.enumerated() {
            if octet == 13, index + 1 == octets.count || octets[index + 1] != 10 { return false }
            if octet == 10, index == 0 || octets[index - 1] != 13 { return false }
        }
        return true
    }

    /// Takes the first dot off every line that begins with one.
    static func withoutDots(_ octets: [UInt8]) -> [UInt8] {
        var out: [UInt8] = [], atStart = true
        for octet in octets {
            if !(atStart && octet == 46) { out.append(octet) }
            atStart = octet == 10
        }
        return out
    }
}

/// What a ``DataDecoder`` made of pieces.
struct Decoded: Equatable {
    var content: [UInt8] = []
    var consumed = 0
    var ended = false
    var defect: LineDefect?

    init(_ pieces: [[UInt8]]) {
        var decoder = DataDecoder(), held: [UInt8] = []
        for piece in pieces where !ended {
            held += piece
            let step = held.withUnsafeBytes { decoder.decode($0) }
            for range in step.content { content += held[range] }
            consumed += step.consumed
            held.removeFirst(step.consumed)
            ended = step.ended
            expect(ended || held.count <= 2, "the decoder keeps \(held.count) octets")
        }
        defect = decoder.defect
        // What is undecided at the end may differ by where the pieces were cut.
        if !ended { (content, consumed) = ([], 0) }
    }
}

/// A session's outcome, comparable.
struct Conversation: Equatable {
    var replies: [String] = []
    var content: [UInt8] = []
    var messages: [[UInt8]] = []
    var questions: [ServerQuestion] = []

    static func run(_ pieces: [[UInt8]], _ options: UInt8, _ answers: UInt8, _ speaks: ServerProtocol) -> Conversation {
        var settings = ServerSettings(hostname: "mx.example")
        settings.speaks = speaks
        settings.offersTLS = options & 1 != 0
        settings.offersAuthentication = options & 2 != 0
        settings.offersXClient = options & 4 != 0
        settings.requiresTLS = options & 8 != 0
        settings.requiresAuthentication = options & 16 != 0
        settings.messageSizeLimit = options & 32 != 0 ? 100 : 10_240_000
        settings.recipientLimit = 3
        settings.errorLimit = options & 64 != 0 ? 1000 : 20
        var machine = ServerStateMachine(settings: settings, isTLS: options & 128 != 0)
        var out = Conversation(), seed = answers
        out.perform(machine.start(), [], &machine, &seed)
        var held: [UInt8] = []
        for piece in pieces {
            held += piece
            while true {
                let (consumed, actions) = held.withUnsafeBytes { machine.take($0) }
                if consumed == 0, actions.isEmpty { break }
                let given = Array(held[..<consumed])
                held.removeFirst(consumed)
                out.perform(actions, given, &machine, &seed)
                if machine.isEnded { return out }
            }
            expect(held.count <= ServerSettings.authenticationLineLimit, "the session keeps \(held.count) octets")
        }
        out.content = []
        return out
    }

    private mutating func perform(_ actions: [ServerAction], _ given: [UInt8], _ machine: inout ServerStateMachine, _ seed: inout UInt8) {
        for action in actions {
            switch action {
            case .send(let reply): replies.append(reply.wire)
            case .content(let range): content += given[range]
            case .abort: content = []
            case .startTLS: perform(machine.tlsStarted(), [], &machine, &seed)
            case .close: replies.append("closed")
            case .ask(let question):
                questions.append(question)
                perform(machine.answer(answer(question, &seed)), given, &machine, &seed)
            }
        }
    }

    private mutating func answer(_ question: ServerQuestion, _ seed: inout UInt8) -> ServerAnswer {
        seed = seed &* 5 &+ (seed == 0 ? 0 : 3)
        if case .message = question {
            messages.append(content)
            content = []
            return .reply(SMTPReply(250, "2.0.0", "Ok"))
        }
        return seed & 0x70 == 0x70 ? .no(SMTPReply(seed & 8 == 0 ? 550 : 451, "5.7.1", "No")) : .yes
    }
}

/// A client session that does what its machine says, with a content of two lines.
struct ClientRun {
    var session: SMTPClientSession
    private(set) var isOver = false
    private(set) var report: TransactionReport?
    private var transactions = 0

    init(_ options: UInt8) {
        var configuration = SMTPClientSession.Configuration(heloName: "client.example", tls: options & 1 != 0 ? .required : options & 2 != 0 ? .ifOffered : .never)
        configuration.speaksLMTP = options & 4 != 0
        configuration.chunking = options & 8 != 0
        if options & 16 != 0 { configuration.credentials = ClientCredentials(user: "user", password: "pass", allowWithoutTLS: options & 32 != 0) }
        session = SMTPClientSession(configuration)
    }

    mutating func perform(_ actions: [SMTPClientSession.Action]) {
        for action in actions {
            switch action {
            case .send(let octets): expect(LineEnds.clean(octets) && octets.suffix(2) == [13, 10], "sent \(octets)")
            case .startTLS: perform(session.tlsEstablished())
            case .ready: begin()
            case .sendContent: perform(session.contentSent())
            case .deriveProof(let client): perform(session.proofDerived(client, nil))
            case .finished(let report):
                self.report = report
                if !isOver { begin() }
            case .failed, .close: isOver = true
            case .deadline, .noDeadline: break
            }
        }
    }

    private mutating func begin() {
        transactions += 1
        guard transactions <= 3, let sender = EmailAddress("a@b.example"), let other = EmailAddress("\"q p\"@b.example") else { return perform(session.quit()) }
        perform(session.begin(ClientTransaction(
            sender: sender, recipients: [ClientRecipient(sender, notify: "NEVER"), ClientRecipient(other)], byteCount: 20, headerIs8Bit: transactions == 2)))
    }
}
