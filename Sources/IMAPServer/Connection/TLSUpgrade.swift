import NIOCore

/// How a connection gets TLS: a handler that goes first in the pipeline, and the event by which it tells that the
/// handshake is done.
public struct TLSUpgrade: Sendable {
    let makeHandler: @Sendable () throws -> any ChannelHandler
    let completion: @Sendable (Any) -> Completion?

    /// What a finished handshake left for the log-in.
    public struct Completion: Sendable {
        /// By registered name (RFC 5929, RFC 9266); empty where the connection has none.
        public let channelBindings: [String: [UInt8]]
        public init(channelBindings: [String: [UInt8]] = [:]) { self.channelBindings = channelBindings }
    }

    /// - Parameters:
    ///   - makeHandler: called on the connection's event loop.
    ///   - completion: not nil for the user event that means that the handshake is done.
    public init(makeHandler: @escaping @Sendable () throws -> any ChannelHandler, completion: @escaping @Sendable (Any) -> Completion?) {
        self.makeHandler = makeHandler
        self.completion = completion
    }
}
