import InternetMessage
import SMTPCore
import Testing

/// Drives a session with a server's lines and collects what the client does.
struct ClientDialogue {
    var session: SMTPClientSession
    var log: [SMTPClientSession.Action] = []

    init(tls: SMTPClientSession.TLSUse = .never, credentials: ClientCredentials? = nil) {
        session = SMTPClientSession(.init(heloName: "client.example", tls: tls, credentials: credentials))
        log = session.connected()
    }

    /// The server's lines, each ended with CRLF. - Returns: what the client sent in answer.
    @discardableResult
    mutating func server(_ lines: String...) -> String { take(session.received(Array(lines.map { $0 + "\r\n" }.joined().utf8))) }

    @discardableResult
    mutating func take(_ actions: [SMTPClientSession.Action]) -> String {
        log += actions
        return actions.map { if case .send(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { "" } }.joined()
    }

    mutating func begin(_ transaction: ClientTransaction) -> String { take(session.begin(transaction)) }

    /// Up to readiness, with these extensions.
    mutating func greet(_ extensions: String...) {
        server("220 mx.example.net ESMTP")
        let lines = ["mx.example.net"] + extensions
        for (index, line) in lines.enumerated() { server("250" + (index == lines.count - 1 ? " " : "-") + line) }
    }

    var report: TransactionReport? { log.lazy.compactMap { if case .finished(let report) = $0 { report } else { nil } }.last }
    var failure: SessionFailure? { log.lazy.compactMap { if case .failed(let failure) = $0 { failure } else { nil } }.last }
    var isReady: Bool { log.contains { if case .ready = $0 { true } else { false } } }
    var lastDeadline: Duration? {
        for action in log.reversed() {
            if case .deadline(let duration) = action { return duration }
            if case .noDeadline = action { return nil }
        }
        return nil
    }

    static func transaction(_ recipients: String..., sender: String? = "alice@example.org", size: Int = 100) throws -> ClientTransaction {
        ClientTransaction(sender: try sender.map { try #require(EmailAddress($0)) },
                          recipients: try recipients.map { ClientRecipient(try #require(EmailAddress($0))) }, byteCount: size)
    }
}
