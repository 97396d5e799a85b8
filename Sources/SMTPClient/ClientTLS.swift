import NIOCore

/// What the client needs of a TLS implementation: a handler that is put first in the pipeline after STARTTLS, and how to
/// know its event that the handshake is done.
public struct ClientTLS: Sendable {
    /// Makes a handler for one connection; called on its event loop. `verify`: the certificate must be for that name,
    /// else the handshake fails.
    public let makeHandler: @Sendable (_ serverName: String, _ verify: Bool) throws -> any ChannelHandler
    /// A description (`TLSv1.3 with cipher TLS_AES_256_GCM_SHA384`) when the user event is the handshake's completion.
    public let handshakeCompleted: @Sendable (_ event: Any) -> String?

    public init(makeHandler: @escaping @Sendable (_ serverName: String, _ verify: Bool) throws -> any ChannelHandler,
                handshakeCompleted: @escaping @Sendable (_ event: Any) -> String?) {
        self.makeHandler = makeHandler
        self.handshakeCompleted = handshakeCompleted
    }
}
