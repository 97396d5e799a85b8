import Foundation
import InternetMessage
import NetworkAddress
import TLS

/// Hands a trial message in, as a client of each kind does. Each blocks and throws what went wrong, in words.
enum MailDoors {
    /// Who logs in, for the doors of our users.
    struct LogIn: Sendable {
        let user: String
        let password: String
    }

    /// SMTP as another server, or with a log-in as a user of ours (RFC 5321, RFC 6409).
    static func smtp(_ place: LineConnection.Place, _ message: TrialMessage, implicitTLS: Bool = false, logIn: LogIn? = nil, within time: Duration) throws {
        let connection = try LineConnection(place, within: time)
        if implicitTLS { _ = try connection.startTLS(.client(trust: .nobody), serverName: "localhost") }
        try greeted(connection)
        var offers = try connection.ask("EHLO localhost", expecting: 250)
        if logIn != nil, !implicitTLS {
            try connection.ask("STARTTLS", expecting: 220)
            _ = try connection.startTLS(.client(trust: .nobody), serverName: "localhost")
            offers = try connection.ask("EHLO localhost", expecting: 250)
        }
        if let logIn {
            guard let mechanisms = offers.first(where: { $0.uppercased().hasPrefix("AUTH ") }), mechanisms.uppercased().split(separator: " ").contains("PLAIN") else {
                throw LineConnection.Failure(description: "it offers no AUTH PLAIN over TLS")
            }
            // RFC 4616: authorization identity, NUL, user, NUL, password.
            try connection.ask("AUTH PLAIN " + Data("\0\(logIn.user)\0\(logIn.password)".utf8).base64EncodedString(), expecting: 235, named: "the log-in")
        }
        try hand(message, connection, sender: logIn?.user ?? "")
    }

    /// RFC 2033.
    static func lmtp(_ place: LineConnection.Place, _ message: TrialMessage, within time: Duration) throws {
        let connection = try LineConnection(place, within: time)
        try greeted(connection)
        try connection.ask("LHLO localhost", expecting: 250)
        try hand(message, connection, sender: "")
    }

    private static func greeted(_ connection: LineConnection) throws {
        let greeting = try connection.reply()
        guard greeting.code == 220 else { throw LineConnection.Failure(description: "it greets with \(greeting.code) \(greeting.lines.joined(separator: " "))") }
    }

    private static func hand(_ message: TrialMessage, _ connection: LineConnection, sender: String) throws {
        try connection.ask("MAIL FROM:<\(sender)>", expecting: 250)
        try connection.ask("RCPT TO:<\(message.recipient)>", expecting: 250)
        try connection.ask("DATA", expecting: 354)
        try connection.ask(message.text + ".", expecting: 250, named: "the message")
        try? connection.send("QUIT\r\n")
    }

    /// Logs in over IMAP and opens the inbox (RFC 9051 §6.2.3, §6.3.2).
    static func imap(_ place: LineConnection.Place, implicitTLS: Bool, logIn: LogIn, within time: Duration) throws {
        let connection = try LineConnection(place, within: time)
        if implicitTLS { _ = try connection.startTLS(.client(trust: .nobody), serverName: "localhost") }
        let greeting = try connection.line()
        guard greeting.uppercased().hasPrefix("* OK") else { throw LineConnection.Failure(description: "it greets with \(greeting.prefix(80).debugDescription)") }
        if !implicitTLS {
            try command("STARTTLS", connection)
            _ = try connection.startTLS(.client(trust: .nobody), serverName: "localhost")
        }
        try command("AUTHENTICATE PLAIN " + Data("\0\(logIn.user)\0\(logIn.password)".utf8).base64EncodedString(), connection, named: "the log-in")
        try command("SELECT INBOX", connection)
        try? connection.send("z LOGOUT\r\n")
    }

    private static func command(_ text: String, _ connection: LineConnection, named: String? = nil) throws {
        try connection.send("a \(text)\r\n")
        for _ in 0..<1000 {
            let line = try connection.line()
            guard line.hasPrefix("a ") else { continue }
            guard line.uppercased().hasPrefix("A OK") else { throw LineConnection.Failure(description: "\(named ?? text) was answered \(line.dropFirst(2).prefix(120))") }
            return
        }
        throw LineConnection.Failure(description: "\(named ?? text) is not answered")
    }
}
