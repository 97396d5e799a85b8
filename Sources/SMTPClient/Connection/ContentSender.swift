import NIOCore
import SMTPCore

/// Writes a message's content to a channel with back-pressure: at most one piece is in memory.
struct ContentSender: Sendable {
    /// The source failed; not the connection.
    struct Unreadable: Error { let reason: String }

    static let pieceSize = 65536
    let message: OutgoingMessage
    let channel: any Channel

    /// - Parameters:
    ///   - progressed: called after each piece that the transport took.
    ///   - finishing: called before the last piece goes out, so that the verdict cannot overtake the knowledge of it.
    func send(progressed: @Sendable () -> Void, finishing: @Sendable () -> Void) async throws {
        var stuffer = DotStuffer()
        var offset = 0
        while offset < message.byteCount {
            let piece = try await read(offset)
            offset += piece.count
            var bytes = stuffer.stuff(piece)
            guard offset < message.byteCount else {
                bytes += stuffer.finish()
                return try await sendLast(bytes, finishing)
            }
            try Task.checkCancellation()
            try await channel.writeAndFlush(channel.allocator.buffer(bytes: bytes))
            progressed()
        }
        try await sendLast(stuffer.finish(), finishing)
    }

    private func sendLast(_ bytes: [UInt8], _ finishing: @Sendable () -> Void) async throws {
        try Task.checkCancellation()
        finishing()
        try await channel.writeAndFlush(channel.allocator.buffer(bytes: bytes))
    }

    private func read(_ offset: Int) async throws -> [UInt8] {
        let piece: [UInt8]
        do {
            piece = try await message.read(offset, min(Self.pieceSize, message.byteCount - offset))
        } catch {
            throw Unreadable(reason: "\(error)")
        }
        guard !piece.isEmpty else { throw Unreadable(reason: "it ends after \(offset) of \(message.byteCount) octets") }
        return piece
    }
}
