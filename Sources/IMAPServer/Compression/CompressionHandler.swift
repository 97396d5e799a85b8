import NIOCore

/// Compresses both directions of a connection (RFC 4978), between TLS and the session. What came in is inflated only as
/// the session reads, a piece at a time.
final class CompressionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let deflater = Deflater()
    private let inflater = Inflater()
    /// The session asked, and nothing was given yet.
    private var isWanted = false

    func read(context: ChannelHandlerContext) {
        isWanted = true
        if !give(context) { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        inflater.feed(unwrapInboundIn(data).readableBytesView)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Half a block gives nothing yet: more must come.
        if isWanted, !give(context) { context.read() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let bytes = deflater.compress(Array(unwrapOutboundIn(data).readableBytesView)) else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return context.close(promise: nil)
        }
        context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: promise)
    }

    /// - Returns: whether a piece was given, or never will be.
    private func give(_ context: ChannelHandlerContext) -> Bool {
        do throws(Inflater.Corrupt) {
            guard let piece = try inflater.next() else { return false }
            isWanted = false
            context.fireChannelRead(wrapInboundOut(context.channel.allocator.buffer(bytes: piece)))
            context.fireChannelReadComplete()
        } catch { context.close(promise: nil) }
        return true
    }
}
