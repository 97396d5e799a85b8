import LocalSocket
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Answers commands of the same machine on a UNIX socket, each connection one request. Only the socket's owner and root
/// can connect.
public final class ControlServer: Sendable {
    /// Carries out a command; what it sends with ``ControlAnswer`` goes out as it comes. Throws what the client is told.
    public typealias Handler = @Sendable (ControlRequest, ControlAnswer) async throws -> Void

    private let socket: UnixSocket
    private let handlers: [String: Handler]
    private let group: any EventLoopGroup
    private let logger: Logger
    private let state = Mutex<(channel: (any Channel)?, tasks: [Int: Task<Void, Never>], next: Int)>((nil, [:], 0))
    /// Connections at once.
    static let limit = 16

    /// - Parameter handlers: by command.
    /// - Throws: ``UnixSocketError`` when the path cannot be a socket.
    public init(path: String, handlers: [String: Handler], group: any EventLoopGroup, logger: Logger) throws {
        socket = try UnixSocket(path, mode: 0o600)
        self.handlers = handlers
        self.group = group
        self.logger = logger
    }

    /// Listens, as the user that the process is then.
    /// - Throws: ``UnixSocketError``.
    public func start() async throws {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 16)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [weak self] channel in
                channel.eventLoop.makeCompletedFuture {
                    let inner = try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(backPressureStrategy: .init(lowWatermark: 1, highWatermark: 4), isOutboundHalfClosureEnabled: true))
                    guard let self else { return channel.close(promise: nil) }
                    self.spawn(inner)
                }
            }
        let channel = try await socket.bind(bootstrap)
        state.withLock { $0.channel = channel }
    }

    /// Stops listening and cuts off what is under way.
    public func stop() async {
        let (channel, tasks) = state.withLock { state in
            defer { (state.channel, state.tasks) = (nil, [:]) }
            return (state.channel, state.tasks)
        }
        guard let channel else { return }
        try? await channel.close()
        for task in tasks.values { task.cancel() }
        for task in tasks.values { await task.value }
        socket.remove()
    }

    private func spawn(_ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>) {
        state.withLock { state in
            let number = state.next
            state.next += 1
            let isFull = state.tasks.count >= Self.limit
            state.tasks[number] = Task {
                await self.serve(channel, isFull: isFull)
                self.state.withLock { $0.tasks[number] = nil }
            }
        }
    }

    private func serve(_ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>, isFull: Bool) async {
        do {
            try await channel.executeThenClose { inbound, outbound in
                var parts = inbound.makeAsyncIterator()
                let answer = ControlAnswer { try await outbound.write(ByteBuffer(bytes: $0)) }
                do {
                    if isFull { throw ControlError("the server is busy with \(Self.limit) other commands: try again") }
                    let request = try await Self.request(&parts, channel.channel)
                    guard let handler = handlers[request.command] else { throw ControlError("the server knows no command '\(request.command)'") }
                    try await handler(request, answer)
                    try await answer.end(nil)
                } catch let error as ControlError {
                    try await answer.end(error.description)
                } catch {
                    try await answer.end("\(error)")
                }
                outbound.finish()
                await Self.untilRead(&parts, channel.channel)
            }
        } catch {
            logger.debug("a command went away", metadata: ["error": "\(error)"])
        }
    }

    /// The first line; who does not send it in time is cut off.
    private static func request(_ parts: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, _ channel: any Channel) async throws -> ControlRequest {
        let deadline = channel.eventLoop.scheduleTask(in: .seconds(30)) { channel.close(promise: nil) }
        defer { deadline.cancel() }
        var buffer = ByteBuffer()
        while let part = try await parts.next() {
            let known = buffer.readableBytes
            buffer.writeImmutableBuffer(part)
            if let end = buffer.readableBytesView.dropFirst(known).firstIndex(of: 10) {
                let line = buffer.getBytes(at: buffer.readerIndex, length: end - buffer.readerIndex) ?? []
                return try ControlRequest(line: .init(line))
            }
            guard buffer.readableBytes <= ControlRequest.longest else { throw ControlError("the request is longer than \(ControlRequest.longest) octets") }
        }
        throw ControlError("the request has no line feed")
    }

    /// Waits until the client has read the answer and closes; to close at once would throw away what is not sent yet.
    private static func untilRead(_ parts: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, _ channel: any Channel) async {
        let deadline = channel.eventLoop.scheduleTask(in: .seconds(60)) { channel.close(promise: nil) }
        defer { deadline.cancel() }
        while (try? await parts.next()) != nil {}
    }
}

/// Where a handler writes its answer, line by line; it waits while the client does not read.
public struct ControlAnswer: Sendable {
    private let write: @Sendable ([UInt8]) async throws -> Void

    init(_ write: @escaping @Sendable ([UInt8]) async throws -> Void) { self.write = write }

    public func send(_ item: some Codable & Sendable) async throws { try await write(Array(try ControlJSON.encode(AnswerLine(item: item))) + [10]) }

    func end(_ error: String?) async throws {
        try await write(Array(try ControlJSON.encode(AnswerLine<NoItem>(end: error == nil ? true : nil, error: error))) + [10])
    }
}
