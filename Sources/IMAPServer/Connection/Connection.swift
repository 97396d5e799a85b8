import NetworkAddress
import NIOCore

/// A client's connection as the session sees it: one event at a time in, octets out with back-pressure.
final class Connection: Sendable {
    let channel: any Channel
    let client: IPAddress?
    private let handler: NIOLoopBound<ConnectionHandler>
    private let writeTimeout: TimeAmount

    /// Call on the channel's event loop, with the handler in the pipeline.
    init(channel: any Channel, handler: ConnectionHandler, writeTimeout: TimeAmount) {
        self.channel = channel
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        self.writeTimeout = writeTimeout
        client = channel.remoteAddress.flatMap { $0.ipAddress }.flatMap { IPAddress($0)?.unmapped }
    }

    /// The next thing that happens. Octets come before everything else.
    func next(wakeable: Bool = false, timeout: TimeAmount) async -> ConnectionEvent {
        await withCheckedContinuation { continuation in
            channel.eventLoop.execute { [handler] in handler.value.next(wakeable: wakeable, timeout: timeout, continuation) }
        }
    }

    /// Makes a waiting ``next(wakeable:timeout:)`` return, or the next one. From any thread.
    func wake() { channel.eventLoop.execute { [handler] in handler.value.wake() } }

    /// Asks the session to say good-bye. From any thread.
    func shutDown() { channel.eventLoop.execute { [handler] in handler.value.shutDown() } }

    /// Sends; returns when there is room for more.
    /// - Throws: ``ConnectionClosed`` when the client went, or did not read in time.
    func send(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        let buffer = channel.allocator.buffer(bytes: bytes)
        try await withCheckedThrowingContinuation { continuation in
            channel.eventLoop.execute { [handler, writeTimeout] in handler.value.send(buffer, timeout: writeTimeout, continuation) }
        }
    }

    /// Puts TLS under the session, and waits for the handshake. What had come in plain text is dropped.
    /// - Returns: nil when the connection is closed instead.
    func startTLS(_ upgrade: TLSUpgrade, timeout: TimeAmount) async -> TLSUpgrade.Completion? {
        do { try await channel.eventLoop.submit { [handler] in try handler.value.install(upgrade) }.get() } catch { return nil }
        return await handshake(timeout: timeout)
    }

    /// Waits for the handshake that is under way; nil when the connection is closed instead.
    func handshake(timeout: TimeAmount) async -> TLSUpgrade.Completion? {
        let timer = channel.eventLoop.scheduleTask(in: timeout) { [channel] in channel.close(promise: nil) }
        let done = await withCheckedContinuation { continuation in
            channel.eventLoop.execute { [handler] in handler.value.awaitHandshake(continuation) }
        }
        timer.cancel()
        return done
    }

    /// Compresses what follows in both directions (RFC 4978).
    /// - Returns: false when the connection is gone, or the client did not wait.
    func compress() async -> Bool {
        do { try await channel.eventLoop.submit { [handler] in try handler.value.compress() }.get() } catch { return false }
        return true
    }

    func close() async { try? await channel.close() }
}
