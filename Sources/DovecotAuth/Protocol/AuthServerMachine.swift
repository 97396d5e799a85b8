import InternetMessage
import NetworkAddress
import SASL

/// The server's side of one connection of Dovecot's authentication protocol, version 1.2, as Postfix's `smtpd` and Exim
/// speak it: lines and answers in, ``AuthAction``s out. No socket, no clock.
///
/// Many requests may be under way at once, each with its number; replies come as they are found.
public struct AuthServerMachine: Sendable {
    public static let majorVersion = 1, minorVersion = 2
    /// Octets of a line without its LF; the protocol's text expects lines to fit.
    public static let lineLimit = 16384
    /// Requests under way on one connection.
    static let requestLimit = 64
    /// Base64 of a password exchange; SCRAM's messages are far shorter.
    static let responseLimit = 12288

    struct Request: Sendable {
        enum Stage: Sendable {
            case password(SASLExchange)
            case scram(SCRAMExchange)
            case waitingForPassword
            case waitingForKeys(SCRAMExchange)
            /// The proof fits, server-final-message is sent, the client has yet to say nothing.
            case finalSent
        }
        var stage: Stage
        let mechanism: String
        /// Who the client says it is, once it has.
        var user: String?
        let parameters: AuthParameters
        /// Whose log-in it is, once that is known: SCRAM's account.
        var account: String?
        /// When it began, in the shell's seconds.
        let began: Int
        var client: IPAddress? { parameters.clientAddress.flatMap { IPAddress($0) } }
    }

    private let processID: Int32
    private let connectionID: UInt64
    private let cookie: String
    private var hasVersion = false
    private var hasProcess = false
    private var isOver = false
    var requests: [UInt32: Request] = [:]

    /// - Parameters:
    ///   - connectionID: unique in this process.
    ///   - cookie: 32 hexadecimal digits, drawn by chance.
    public init(processID: Int32, connectionID: UInt64, cookie: String) {
        self.processID = processID
        self.connectionID = connectionID
        self.cookie = cookie
    }

    /// Whether the client has said who it is.
    public var isReady: Bool { hasVersion && hasProcess }
    /// The numbers of requests under way.
    public var underWay: [UInt32] { requests.keys.sorted() }

    /// The handshake, sent at once. MECH comes before SPID: Postfix tells by that that the socket is for clients.
    public func start(offersSCRAM: Bool = true) -> [AuthAction] {
        let mechanisms = ["MECH\tPLAIN\tplaintext", "MECH\tLOGIN\tplaintext"] + (offersSCRAM ? ["MECH\tSCRAM-SHA-256\tmutual-auth"] : [])
        let all = ["VERSION\t\(Self.majorVersion)\t\(Self.minorVersion)"] + mechanisms
            + ["SPID\t\(processID)", "CUID\t\(connectionID)", "COOKIE\t\(cookie)", "DONE"]
        return all.map { .send($0) }
    }

    /// Takes a line, its LF taken off. - Parameter now: seconds of any steady clock.
    public mutating func take(_ line: some Collection<UInt8>, now: Int) -> [AuthAction] {
        guard !isOver else { return [] }
        guard line.count <= Self.lineLimit, let text = String(validating: line, as: UTF8.self) else { return end("a line is too long or not UTF-8") }
        let words = text.split(separator: "\t", omittingEmptySubsequences: false).map { TabEscape.decode($0) }
        guard let command = words.first else { return [] }
        switch command {
        case "VERSION": return takeVersion(words)
        case "CPID":
            guard hasVersion, !hasProcess, words.count == 2, UInt32(words[1]) != nil else { return end("CPID is out of place or not a number") }
            hasProcess = true
            return []
        case "AUTH", "CONT", "CANCEL":
            guard isReady else { return end("\(command) before VERSION and CPID") }
            guard words.count >= 2, let id = UInt32(words[1]) else { return end("\(command) without a number") }
            if command == "AUTH" { return begin(id, words.dropFirst(2), now) }
            if command == "CANCEL" {
                requests[id] = nil
                return []
            }
            return go(on: id, words.count > 2 ? words[2] : "")
        // Later minor versions may bring others.
        default: return []
        }
    }

    private mutating func takeVersion(_ words: [String]) -> [AuthAction] {
        guard !hasVersion, words.count == 3, let major = Int(words[1]), Int(words[2]) != nil else { return end("VERSION is out of place or no two numbers") }
        guard major == Self.majorVersion else { return end("the client speaks version \(major) of the protocol, not \(Self.majorVersion)") }
        hasVersion = true
        return []
    }

    mutating func end(_ reason: String) -> [AuthAction] {
        isOver = true
        requests = [:]
        return [.close(reason)]
    }

    /// Ends the requests that began before a time. - Parameter cutoff: in the seconds given to ``take(_:now:)``.
    public mutating func expire(before cutoff: Int) -> [AuthAction] {
        underWay.filter { (requests[$0]?.began ?? cutoff) < cutoff }.flatMap { fail($0, temporary: true, "the log-in took too long") }
    }
}
