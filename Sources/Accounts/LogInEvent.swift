import NetworkAddress

/// What the accounts know of a log-in that the server at the door does not, for the log.
public enum LogInEvent: Sendable, Hashable {
    /// - Parameter device: the app password's name; nil for the account's own password.
    case succeeded(account: String, device: String?, client: IPAddress?)
    /// A password that was taken back is still being tried: a device that nobody told.
    case revoked(account: String, device: String, client: IPAddress?)
    /// Lines of the passwd-file, or the file as a whole, that are not taken. The other lines are.
    case passwdFile([PasswdFileFault])
}

/// What is wrong with a passwd-file.
public struct PasswdFileFault: Sendable, Hashable, CustomStringConvertible {
    public let file: String
    /// From 1; nil: the file as a whole, and what was read of it before stays in force.
    public let line: Int?
    public let text: String

    public var description: String { file + (line.map { ":\($0)" } ?? "") + ": " + text }
}
