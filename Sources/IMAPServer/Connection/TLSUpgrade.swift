import NIOCore

/// How a connection gets TLS: a handler that goes first in the pipeline, and the event by which it tells that the
/// handshake is done.
public struct TLSUpgrade: Sendable {
    let makeHandler: @Sendable () throws -> any ChannelHandler
    let isCompletion: @Sendable (Any) -> Bool

    /// - Parameters:
    ///   - makeHandler: called on the connection's event loop.
    ///   - isCompletion: whether a user event means that the handshake is done.
    public init(makeHandler: @escaping @Sendable () throws -> any ChannelHandler, isCompletion: @escaping @Sendable (Any) -> Bool) {
        self.makeHandler = makeHandler
        self.isCompletion = isCompletion
    }
}
