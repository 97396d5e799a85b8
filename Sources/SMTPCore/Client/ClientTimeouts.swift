/// How long a client waits at each stage. The defaults are RFC 5321 §4.5.3.2's least values; `connect` is Postfix's.
public struct ClientTimeouts: Sendable, Hashable {
    public var connect: Duration = .seconds(30)
    public var greeting: Duration = .seconds(300)
    /// EHLO, HELO, STARTTLS with its handshake, AUTH, RSET.
    public var hello: Duration = .seconds(300)
    public var mail: Duration = .seconds(300)
    public var recipient: Duration = .seconds(300)
    public var dataInitiation: Duration = .seconds(120)
    /// For each piece of the content to be taken.
    public var dataBlock: Duration = .seconds(180)
    public var dataTermination: Duration = .seconds(600)
    /// QUIT is a courtesy: nothing depends on its answer.
    public var quit: Duration = .seconds(5)

    public init() {}

    /// All of them multiplied.
    public func scaled(by factor: Double) -> ClientTimeouts {
        var out = self
        for path in [\ClientTimeouts.connect, \.greeting, \.hello, \.mail, \.recipient, \.dataInitiation, \.dataBlock, \.dataTermination, \.quit] {
            out[keyPath: path] = self[keyPath: path] * factor
        }
        return out
    }
}
