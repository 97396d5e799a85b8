import Foundation
import InternetMessage
import SMTPCore

/// The envelope of a dropped message: the MAIL and RCPT commands that would have brought it over SMTP.
///
/// Whoever may write into the folder can write anything into a file there, so what is read back goes through the parser
/// that strangers' commands go through.
public struct DropEnvelope: Sendable {
    public var sender: EmailAddress?
    /// `RET`, `ENVID`, `BODY`, `SMTPUTF8` as MAIL has them (RFC 3461 §4.3, RFC 6152, RFC 6531).
    public var senderParameters: [String: String]
    public var recipients: [Recipient]
    /// The author's name for a missing `From`: `sendmail -F`.
    public var fullName: String?

    /// One RCPT.
    public struct Recipient: Sendable, Hashable {
        public var address: EmailAddress
        /// `NOTIFY`, `ORCPT` (RFC 3461 §4.1, §4.2).
        public var parameters: [String: String]

        public init(_ address: EmailAddress, parameters: [String: String] = [:]) {
            self.address = address
            self.parameters = parameters
        }
    }

    public init(sender: EmailAddress?, senderParameters: [String: String] = [:], recipients: [Recipient], fullName: String? = nil) {
        self.sender = sender
        self.senderParameters = senderParameters
        self.recipients = recipients
        self.fullName = fullName
    }

    /// Whether an address cannot be said without SMTPUTF8 (RFC 6531 §3.2).
    public var needsSMTPUTF8: Bool { sender?.needsSMTPUTF8 == true || recipients.contains { $0.address.needsSMTPUTF8 } }
}

/// The first line of a dropped file.
struct DropHead: Codable {
    static let version = 1
    /// Octets that a head may have: a thousand recipients with all their parameters.
    static let limit = 4 << 20

    var postern: Int
    var commands: [String]
    var fullName: String?
    /// Octets of content behind the head.
    var size: Int

    init(_ envelope: DropEnvelope, size: Int) {
        var parameters = envelope.senderParameters
        if envelope.needsSMTPUTF8 { parameters["SMTPUTF8"] = "" }
        postern = Self.version
        commands = ["MAIL FROM:<\(envelope.sender?.description ?? "")>" + Self.text(parameters)]
            + envelope.recipients.map { "RCPT TO:<\($0.address)>" + Self.text($0.parameters) }
        fullName = envelope.fullName
        self.size = size
    }

    private static func text(_ parameters: [String: String]) -> String {
        parameters.sorted { $0.key < $1.key }.map { " " + $0.key + ($0.value.isEmpty ? "" : "=" + $0.value) }.joined()
    }

    /// - Throws: ``DropError/damaged(_:)``.
    func envelope() throws(DropError) -> DropEnvelope {
        guard postern == Self.version else { throw .damaged("version \(postern)") }
        guard let first = commands.first, case .mail(let mail) = try Self.parse(first) else { throw .damaged("no sender") }
        var out = DropEnvelope(sender: mail.sender, senderParameters: mail.parameters, recipients: [], fullName: fullName)
        for line in commands.dropFirst() {
            guard case .rcpt(let recipient) = try Self.parse(line), case .mailbox(let address) = recipient.path else { throw .damaged("not a recipient") }
            out.recipients.append(.init(address, parameters: recipient.parameters))
        }
        guard !out.recipients.isEmpty else { throw .damaged("no recipients") }
        return out
    }

    private static func parse(_ line: String) throws(DropError) -> Command {
        do { return try CommandParser.parse(Array(line.utf8)) } catch { throw .damaged("\(error)") }
    }
}

/// What can be wrong with the folder or a file in it.
public enum DropError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Not complete yet, or on its way out: look again later.
    case notReady
    /// Nothing that our command made.
    case damaged(String)
    case tooLarge(limit: Int)
    case system(call: String, code: Int32)

    public var description: String {
        switch self {
        case .notReady: "not complete yet"
        case .damaged(let why): "not a dropped message: \(why)"
        case .tooLarge(let limit): "message file too big: more than \(limit) octets"
        case .system(let call, let code): "\(call): \(String(cString: strerror(code)))"
        }
    }
}
