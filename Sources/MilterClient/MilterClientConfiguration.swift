/// One foreign milter and how to treat it.
public struct MilterClientConfiguration: Sendable {
    /// What happens to mail when the milter cannot be asked (`milter_default_action`).
    public enum DefaultAction: String, Sendable, Hashable, CaseIterable { case accept, reject, tempfail, quarantine }

    public var address: MilterAddress
    /// `{j}`: our name.
    public var hostname: String
    public var defaultAction: DefaultAction
    /// Postfix's `milter_connect_timeout`, `milter_command_timeout`, `milter_content_timeout`.
    public var connectTimeout: Duration
    public var commandTimeout: Duration
    public var contentTimeout: Duration
    /// The highest version spoken, 2 to 6.
    public var maximumVersion: UInt32

    public init(address: MilterAddress, hostname: String, defaultAction: DefaultAction = .tempfail, connectTimeout: Duration = .seconds(30),
                commandTimeout: Duration = .seconds(30), contentTimeout: Duration = .seconds(300), maximumVersion: UInt32 = 6) {
        self.address = address
        self.hostname = hostname
        self.defaultAction = defaultAction
        self.connectTimeout = connectTimeout
        self.commandTimeout = commandTimeout
        self.contentTimeout = contentTimeout
        self.maximumVersion = min(max(maximumVersion, 2), 6)
    }
}

/// Why a milter could not be asked.
enum MilterClientError: Error, Sendable, Hashable, CustomStringConvertible {
    case cannotConnect(String)
    case timedOut(String)
    case closed
    /// A packet that is none, or larger than any may be.
    case babble(String)
    case version(UInt32)
    case failed

    var description: String {
        switch self {
        case .cannotConnect(let why): "cannot connect: \(why)"
        case .timedOut(let what): "no answer in time (\(what))"
        case .closed: "it closed the connection"
        case .babble(let what): "it does not speak the milter protocol: \(what)"
        case .version(let version): "it speaks version \(version) of the protocol, which we do not"
        case .failed: "it reported a failure"
        }
    }
}
